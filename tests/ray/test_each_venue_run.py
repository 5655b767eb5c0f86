"""`gridmesh run` through Ray at each venue with an adapter of its own; each is a process that speaks its language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.trials.sim_process import SimProcess
from exchanges.sim.server.options import DEMO_PASSPHRASE
from tests.crash_truth import not_true, true_lots
from tests.live_control import VenueControl
from tests.ray.real_run import RealRun

CANDLES = {"okx": "1s"}
"""The others stream none that is shorter than a minute, or none of a length that a configuration may name."""
ASKS_FOR_A_PASSPHRASE = ("okx", "bitget")
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


class VenueRun(RealRun):
    """A deployment at the venue of that name."""

    def __init__(self, home: Path, name: str) -> None:
        self.name = name
        own = {"api_passphrase_env": "GRIDMESH_DEMO_PASSPHRASE"} if name in ASKS_FOR_A_PASSPHRASE else {}
        super().__init__(home, venue={"name": name, **own}, risk={"interval": CANDLES.get(name, "1m")})

    @property
    def venue(self) -> VenueControl:
        ready = self.venue_process._ready
        return VenueControl(ready["rest_url"], ready["ws_url"], ready["control_token"], self.name)

    @property
    def gateway(self) -> str:
        return f"gateway/{self.name}/main"

    def symbol(self) -> dict[str, Any]:
        found: dict[str, Any] = self.picture(self.gateway).get("symbols", {}).get("ETHUSDT", {})
        return found

    def trades(self) -> bool:
        """Whether it is ready, free of holds and quoting."""
        seen = self.picture(self.gateway)
        entries = [one for _, one in self.venue.own_orders(is_open=True) if not one.purpose.closing]
        return bool(seen.get("is_ready") and not seen.get("holds") and entries)

    def jump(self, percent: str) -> None:
        self.venue.verb("tape", action="jump", symbol="ETHUSDT", percent=percent)

    def _venue(self, *words: str) -> SimProcess:
        return super()._venue("--protocol", self.name, *words)

    def _environment(self) -> dict[str, str]:
        return {**super()._environment(), "GRIDMESH_DEMO_PASSPHRASE": DEMO_PASSPHRASE}


@pytest.fixture(params=["bybit", "okx", "gate", "bitget"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VenueRun]:
    made = VenueRun(tmp_path, request.param)
    try:
        yield made
    finally:
        made.end()


def test_it_trades_is_halted_goes_on_and_stops_with_the_book_of_the_venue(run: VenueRun) -> None:
    run.start()
    run.until_running()
    run.until(run.trades, "it trades")
    run.jump("-0.3")
    run.until(lambda: run.symbol().get("entry_fills"), "it has bought")
    run.jump("0.35")
    run.until(lambda: run.symbol().get("round_trips"), "it has sold one interval higher")

    code, halted = run.command("halt", "--reason", "a look around")
    assert (code, halted["said"]) == (0, ["all entries are verified gone; exits stay"])
    assert all(identity.purpose.closing for _, identity in run.venue.own_orders(is_open=True))
    run.until(lambda: run.breaches(run.gateway) == [], "book and venue agree")
    code, resumed = run.command("resume")
    assert code == 0, resumed
    run.until(run.trades, "it trades again")
    run.family()

    code, stopped = run.command("stop")
    assert (code, stopped["done"]) == (0, True), stopped
    assert run.wait() == 0
    assert run.left_of_the_family(240) == []
    account = run.venue.account()
    assert run.venue.own_orders(is_open=True) == []
    assert list(not_true(run.settings, account)) == []
    assert true_lots(account, "ETHUSDT")[2] == []
