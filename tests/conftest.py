"""What every kind of test shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"

# A shared machine makes deadlines lie; a judged run must be repeatable.
settings.register_profile("house", deadline=None, print_blob=True)
settings.register_profile("ci", parent=settings.get_profile("house"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "house")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded market data beside the repository; its MANIFEST.md says what each file holds."""
    if not (SHARED_DATA / "MANIFEST.md").is_file():
        pytest.skip("recorded market data is not here: ../shared/data is absent")
    return SHARED_DATA
