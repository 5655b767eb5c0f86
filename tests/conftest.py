"""What every kind of test shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"

# A shared machine makes deadlines lie, and what is too slow for a health check. Every run of `make test` tries the same
# examples, so that it says the same of the same code; `make test-long` looks for others.
settings.register_profile(
    "house", deadline=None, print_blob=True, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", parent=settings.get_profile("house"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded market data beside the repository; its MANIFEST.md says what each file holds."""
    if not (SHARED_DATA / "MANIFEST.md").is_file():
        pytest.skip("recorded market data is not here: ../shared/data is absent")
    return SHARED_DATA
