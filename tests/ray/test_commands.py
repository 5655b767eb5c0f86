"""The operator's commands against a running deployment: what they print, what they do, and their exit codes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live_control import VenueControl, calm_venue
from tests.ray.gridmesh_shell import Ended, Launched, Shell

ENTRIES = 3
PATIENCE_S = 120.0
ETH: dict[str, Any] = {
    "symbol": "ETHUSDT",
    "interval": 2,
    "anchor": 3000,
    "amount": 60,
    "buy_window": ENTRIES,
    "max_lots": 10,
    "leverage": 5,
    "min_rest_s": "0.5",
}
SECTIONS: dict[str, dict[str, Any]] = {
    "account": {"max_notional": 2000, "daily_loss": 500},
    "risk": {"watch": ["BTCUSDT", "XRPUSDT"], "stale_s": 600, "min_hold_s": 600, "required_positions": 10},
    "runtime": {"slots_per_actor": 8, "reconcile_s": 2, "dashboard": False},
}

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def venue() -> Iterator[VenueControl]:
    with calm_venue({"BTCUSDT": "60000", "XRPUSDT": "0.5"}) as started:
        yield started


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("commands") / "home")


@pytest.fixture(scope="module")
def config(shell: Shell, venue: VenueControl) -> Path:
    return shell.write_config(venue, [ETH], **SECTIONS)


def test_a_start_that_the_checks_refuse_says_why(shell: Shell, venue: VenueControl, config: Path) -> None:
    narrow = shell.write_config(venue, [{**ETH, "interval": 1}], **SECTIONS)
    ended = shell.run("run", narrow, "--json")
    config.write_text("")
    shell.write_config(venue, [ETH], **SECTIONS)

    assert ended.code == 7
    assert "an interval of 1.20 works" in ended.out + ended.err
    assert venue.own_orders() == []
    assert not (shell.home / "trial.json").exists()


def test_every_command_while_it_runs(shell: Shell, venue: VenueControl, config: Path) -> None:
    with shell.running(config) as launched:
        launched.until(lambda: len(venue.own_orders(is_open=True)) == ENTRIES, "the entries rest")
        see_status(shell)
        see_explanations(shell)
        see_a_second_run_refused(shell, config)
        see_halt_and_resume(shell, venue, launched)
        see_risk_halt_it(shell, venue, launched)
        see_stop(shell, venue, launched)
    see_nothing_running(shell)


def told(shell: Shell, *command: str, until: Callable[[Ended], object]) -> Ended:
    """Ask until the answer is so, and return the last one in any case.

    The coordinator looks at its actors once a second: what the venue shows already it may tell a moment later. And an
    actor that a slow machine keeps waiting has a hold for a moment, or is silent.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not until(ended := shell.run(*command, "--json")) and time.monotonic() < deadline:
        continue
    return ended


def causes(ended: Ended) -> set[str]:
    return {hold["cause"] for hold in ended.json["holds"]}


def see_status(shell: Shell) -> None:
    def quotes(ended: Ended) -> bool:
        seen = ended.json
        return bool(seen["symbols"][0]["entries"] == ENTRIES and seen["state"] == "running" and not seen["holds"])

    ended = told(shell, "status", until=quotes)
    assert ended.code == 0, ended.err
    seen = ended.json
    assert seen["deployment"] == "trial"
    assert seen["state"] == "running"
    assert seen["holds"] == []
    [symbol] = seen["symbols"]
    assert (symbol["symbol"], symbol["entries"], symbol["exits"], symbol["lots"]) == ("ETHUSDT", ENTRIES, 0, 0)
    assert {"price", "position", "foreign", "max_lots", "grid_profit", "total_profit"} <= symbol.keys()
    assert {"wallet", "equity"} <= seen["account"].keys()
    assert {"gateway/binanceusdm/main", "risk"} <= {actor["name"] for actor in seen["actors"]}


def see_explanations(shell: Shell) -> None:
    def is_whole(ended: Ended) -> bool:
        seen = ended.json
        resting = [level for level in seen["levels"] if level["reason"] == "entry_resting"]
        return not seen["silent"] and len(resting) == ENTRIES

    ended = told(shell, "explain", "ETHUSDT", until=is_whole)
    assert ended.code == 0, ended.err
    levels = {level["level"]: level for level in ended.json["levels"]}
    assert [levels[level]["reason"] for level in (-1, -2, -3)] == ["entry_resting"] * ENTRIES
    assert all(level["reason"] for level in levels.values()), "idle with a reason"
    assert ended.json["silent"] == []

    unknown = shell.run("explain", "NOSUCHUSDT", "--json")
    assert unknown.code == 2
    assert "ETHUSDT" in unknown.out + unknown.err


def see_a_second_run_refused(shell: Shell, config: Path) -> None:
    ended = shell.run("run", config, "--json")
    assert ended.code == 7
    assert "runs already" in ended.out + ended.err


def see_halt_and_resume(shell: Shell, venue: VenueControl, launched: Launched) -> None:
    halted = shell.run("halt", "--reason", "a look at the news", "--json")
    assert halted.code == 0, halted.err
    assert halted.json["done"] is True
    assert venue.own_orders(is_open=True) == [], "halt returns once the entries are verified gone"
    status = told(shell, "status", until=lambda ended: causes(ended) == {"operator"})
    assert status.code == 0, "an operator's halt is no halt by risk"
    assert [(hold["cause"], hold["reason"]) for hold in status.json["holds"]] == [("operator", "a look at the news")]

    resumed = shell.run("resume", "--json")
    assert resumed.code == 0, resumed.err
    launched.until(lambda: len(venue.own_orders(is_open=True)) == ENTRIES, "entries rest again")


def see_risk_halt_it(shell: Shell, venue: VenueControl, launched: Launched) -> None:
    venue.trade("BTCUSDT", "58000", "900", "SELL")
    venue.trade("XRPUSDT", "0.45", "90000", "SELL")
    launched.until(lambda: venue.own_orders(is_open=True) == [], "risk takes the entries off")
    ended = told(shell, "status", until=lambda ended: "risk" in causes(ended))
    assert ended.code == 6
    assert "risk" in causes(ended)

    resumed = shell.run("resume", "--json")
    assert resumed.code == 0
    assert "risk" in causes(shell.run("status", "--json")), "only risk lifts its own"


def see_stop(shell: Shell, venue: VenueControl, launched: Launched) -> None:
    ended = shell.run("stop", "--json")
    assert ended.code == 0, ended.out + ended.err
    assert ended.json["done"] is True
    assert launched.wait() == 0, launched.words()
    assert launched.left_running() == []
    assert venue.own_orders(is_open=True) == []
    assert not (shell.home / "trial.json").exists()


def see_nothing_running(shell: Shell) -> None:
    for command in (("status",), ("explain", "ETHUSDT"), ("stop",)):
        ended = shell.run(*command, "--json")
        assert ended.code == 3, command
