"""A signal while `run` is still starting: it ends with words and leaves nothing behind."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from actors.run_file import path_of
from tests.ray.real_run import RealRun

pytestmark = pytest.mark.long

END_S = 240.0


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRun]:
    started = RealRun(Path(tmp_path_factory.mktemp("early")))
    (started.home / "run.log").touch()
    yield started
    started.end()


@pytest.mark.parametrize("after_s", [0.7, 2.0, 5.0, 9.0])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_the_start_ends_it_with_words(run: RealRun, after_s: float, number: signal.Signals) -> None:
    before = len(run.log())
    run.start()
    assert run.process is not None
    time.sleep(after_s)
    family = psutil.Process(run.pid).children(recursive=True)

    run.process.send_signal(number)
    code = run.process.wait(END_S)

    said = run.log()[before:]
    # where it served already, it stopped and verified: then it is a stop like any other
    assert code == (0 if "verified at the venue" in said else 128 + number), said
    assert "Traceback" not in said
    assert "while starting; nothing was placed" in said or code == 0
    assert not path_of("crash", {"GRIDMESH_HOME": str(run.home)}).exists()
    assert not [one for one in psutil.wait_procs(family, timeout=END_S)[1] if "ray::" not in one.name()]
