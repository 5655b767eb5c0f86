"""What `gridmesh init` writes is run as it stands: entries rest by it, and it stops with nothing left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ray.real_run import DEPLOYMENT, RealRun

pytestmark = pytest.mark.long


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealRun]:
    started = RealRun(tmp_path)
    key, secret = started.venue_process.keys
    monkeypatch.setenv("BINANCE_API_KEY", key)
    monkeypatch.setenv("BINANCE_API_SECRET", secret)
    try:
        yield started
    finally:
        started.end()


def test_the_first_configuration_runs_as_it_was_written(run: RealRun) -> None:
    run.config.unlink()
    place = ("--rest-url", run.venue_process.rest_url, "--ws-url", run.venue_process.ws_url)
    words = ("--symbol", "ETHUSDT", "--funds", "2000", "--deployment", DEPLOYMENT, "--yes")
    made, told = run.command("init", str(run.config), *place, *words)
    assert made == 0, told

    run.start()
    run.until_running()
    run.until(lambda: len(run.venue.own_orders(is_open=True)) >= 3, "entries rest")
    code, answer = run.command("stop")

    assert (code, answer["done"]) == (0, True)
    assert run.wait() == 0
    assert run.venue.own_orders(is_open=True) == []
