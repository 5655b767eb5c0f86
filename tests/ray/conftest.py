"""One Ray of our own for the tests of the runtime, started and ended by this process alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.processes import left_of

if TYPE_CHECKING:
    from actors.runtime.cluster import Cluster

DEPLOYMENT = "raytest"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A local Ray with a token; at the end none of its processes is left."""
    home = tmp_path_factory.mktemp("gridmesh_home")
    os.environ["GRIDMESH_HOME"] = str(home)
    from actors.runtime.cluster import start_local

    started = start_local(DEPLOYMENT, dashboard=False)
    mine = psutil.Process().children(recursive=True)
    yield started
    mine = list({*mine, *psutil.Process().children(recursive=True)})
    started.shutdown()
    del os.environ["GRIDMESH_HOME"]
    assert left_of(mine, 120) == []
