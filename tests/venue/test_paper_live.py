"""A whole deployment on paper, over real sockets: it lives by the public streams, and no venue ever hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.settings.account import Settings
from actors.settings.deployment import DeploymentSettings
from actors.venues import paper_trading
from exchanges.port import Account, Position
from grid.order import Fill, OrderReport, Side
from tests.live_control import VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings
from tests.unit.command_line import CommandLine
from tests.venue.running_venue import RunningVenue, running, still_options
from tests.venue.trading_account import TradingAccount

OTHERS = ("bybit", "okx", "gate", "bitget", "kucoinfutures", "hashkey")
PAPER: dict[str, Any] = {"balance": 5000, "latency_min_ms": 1, "latency_max_ms": 3}


@pytest.fixture
def venue() -> Iterator[VenueControl]:
    with still_venue() as started:
        yield started


def kept(settings: Settings) -> tuple[Account, Position, list[OrderReport], list[Fill]]:
    """Return what the account's file says, read by the program itself beside whoever has it."""

    async def look() -> tuple[Account, Position, list[OrderReport], list[Fill]]:
        account = paper_trading(settings, read_only=True)
        try:
            await account.connect()
            [position] = await account.positions()
            fills = await account.fills_since("ETHUSDT", 0)
            return await account.account(), position, await account.open_orders(), fills
        finally:
            await account.close()

    return asyncio.run(look())


def agrees(live: LiveDeployment) -> bool:
    """Whether book and paper account say the same: position, open orders, fills."""
    _, position, orders, fills = kept(live.settings)
    seen = live.symbol()
    in_book = {row["order"]["client_id"] for row in seen["levels"] if row["order"]}
    held = Decimal(seen["position"]) / Decimal("0.001")
    counted = seen["entry_fills"] + seen["exit_fills"]
    return position.quantity == held and {one.client_id for one in orders} == in_book and len(fills) == counted


@pytest.mark.parametrize(
    "protocol",
    ["binanceusdm", *(pytest.param(name, marks=pytest.mark.long) for name in OTHERS)],
)
def test_it_buys_and_sells_on_paper_and_the_venue_hears_nothing(tmp_path: Path, protocol: str) -> None:
    with (
        still_venue(still_options(protocol=protocol)) as venue,
        deployed(live_settings(tmp_path, venue, paper=PAPER), venue) as live,
    ):
        assert live.gateway()["trading"] == "paper"
        live.until(lambda: live.symbol().get("entries") == 3, "three entries rest on paper")
        venue.trade("ETHUSDT", "2997", "1", "SELL")
        live.until(lambda: live.symbol().get("lots") == 1, "one is bought")
        live.until(lambda: live.symbol().get("exits") == 1, "its exit rests")
        live.until(lambda: agrees(live), "book and paper account agree")
        venue.trade("ETHUSDT", "3001", "1", "BUY")
        live.until(lambda: live.symbol().get("round_trips") == 1, "it is sold")
        last = live.stop()
        account, position, orders, fills = kept(live.settings)
        assert venue.account()["orders"] == []

    assert last["final"]["verified"]
    assert (position.quantity, orders, len(fills)) == (0, [], 2)
    assert [(fill.side, fill.is_maker) for fill in fills] == [(Side.BUY, True), (Side.SELL, True)]
    gained = Decimal("0.00001") * sum(-fill.side.sign * fill.price * fill.quantity for fill in fills)
    assert gained > 0
    assert account.wallet == 5000 + gained - sum((fill.fee for fill in fills), Decimal(0))


def test_a_killed_gateway_finds_the_account_that_its_journal_knows(venue: VenueControl, tmp_path: Path) -> None:
    with deployed(live_settings(tmp_path, venue, paper=PAPER), venue) as live:
        live.until(lambda: live.symbol().get("entries") == 3, "three entries rest on paper")
        venue.trade("ETHUSDT", "2995", "1", "SELL")
        live.kill_gateway()  # whatever of it had been journalled by then
        venue.quote("ETHUSDT", "2995", "2995.01")
        live.restart_gateway()
        live.until(lambda: agrees(live), "book and paper account agree")
        assert [hold for hold in live.holds() if hold != "order_stream"] == []

        live.until(lambda: live.symbol().get("entries") == 3, "three entries rest again")
        venue.trade("ETHUSDT", "2989", "1", "SELL")
        live.until(lambda: live.symbol().get("exits", 0) >= 3, "it goes on buying, and offers what it bought")
        live.until(lambda: agrees(live), "book and paper account agree again")
        live.stop()
        assert kept(live.settings)[2] == []


@pytest.mark.long
def test_a_symbol_joins_on_paper_and_is_there_after_a_kill(venue: VenueControl, tmp_path: Path) -> None:
    bitcoin = {"symbol": "BTCUSDT", "interval": 40, "anchor": None, "amount": 130, "buy_window": 2}
    with deployed(live_settings(tmp_path, venue, paper=PAPER), venue) as live:
        live.until(lambda: live.symbol().get("entries") == 3, "three entries rest on paper")
        wider = live_settings(tmp_path, venue, {}, bitcoin, paper=PAPER)
        assert live.coordinator.add(DeploymentSettings.of(wider), "BTCUSDT", "t") == ""
        live.until(lambda: live.symbol("BTCUSDT").get("entries") == 2, "the new one quotes too")
        venue.trade("BTCUSDT", "59950", "1", "SELL")
        live.until(lambda: live.symbol("BTCUSDT").get("lots", 0) >= 1, "and buys")

        live.kill_gateway()
        live.restart_gateway()
        live.until(lambda: live.symbol("BTCUSDT").get("exits", 0) >= 1, "its lots are offered in the next life")
        live.until(lambda: live.symbol().get("entries") == 3, "and the first one still quotes")
        live.stop()


@pytest.fixture(scope="module")
def still() -> Iterator[RunningVenue]:
    with running(still_options()) as started:
        yield started


def test_check_and_plan_need_no_keys_on_paper_and_say_so(
    still: RunningVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trial = TradingAccount.of(still, tmp_path, monkeypatch, CommandLine(monkeypatch, capsys))
    trial.configure(paper={"balance": 1234}, risk={"watch": ["ETHUSDT", "BTCUSDT"]})
    monkeypatch.delenv("TRIAL_KEY")
    monkeypatch.delenv("TRIAL_SECRET")

    checked, told = trial.run("check", trial.config), trial.run("check", trial.config, "--json")
    planned = trial.run("plan", trial.config, "--json")

    assert checked.code == 0, checked.out + checked.err
    assert "ready to start ON PAPER" in checked.out
    assert told.json["trading"] == "paper"
    assert any("none are needed" in one["sentence"] for one in told.json["checks"])
    assert any("1234" in one["sentence"] for one in told.json["checks"])
    assert Decimal(planned.json["account"]["wallet"]) == 1234
    assert planned.json["assumed"][0].startswith("PAPER: ")
    assert not list((tmp_path / "home").glob("*account*"))


def test_a_look_at_a_running_account_leaves_it_alone(venue: VenueControl, tmp_path: Path) -> None:
    with deployed(live_settings(tmp_path, venue, paper=PAPER), venue) as live:
        live.until(lambda: live.symbol().get("entries") == 3, "three entries rest on paper")
        live.until(lambda: agrees(live), "book and paper account agree")
        before = kept(live.settings)
        assert kept(live.settings)[2:] == before[2:]
        live.stop()
