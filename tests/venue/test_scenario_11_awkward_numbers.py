"""Scenario 11: coarse and fine ticks, tiny quantities, prices of 1e-7, powers of ten, a changed interval."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import BookTop, Trade
from exchanges.sim.server.market_source import ListedMarket
from grid.order import Purpose, Side
from tests.live_control import VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings
from tests.venue.running_venue import INSTRUMENTS, still_options

Filters = dict[str, dict[str, str]]
WIDE: dict[str, Any] = {
    "account": {"max_notional": 20000, "daily_loss": 5000, "max_orders": 80},
    "gateway": {"recv_window_ms": 4000},  # no order is to be refused because this machine stood still
}
TWO_STEPS, ONE_STEP = "an amount of 193.9", "an amount of 96.95"
"""What buys the smallest order of at least 100 USDT, and the smallest where the quantity is the only minimum."""
WOULD_TAKE = "-5022"
"""A post-only order that the market came towards meanwhile: valid, and placed again one tick away."""


def listing(symbol: str, filters: Filters, bid: str, ask: str) -> AbstractContextManager[VenueControl]:
    """A venue that lists one symbol with these filters, quoted at these prices."""
    known = INSTRUMENTS[symbol]
    rows = [{**entry, **filters.get(entry["filterType"], {})} for entry in known.raw["filters"]]
    changed = SimInstrument.from_exchange_info(
        {**known.raw, "filters": rows, "pricePrecision": 7, "quantityPrecision": 4}, brackets=known.brackets
    )
    low, high, size = changed.ticks(Decimal(bid)), changed.ticks(Decimal(ask)), changed.steps(Decimal(500))
    listed = (
        Trade(symbol=symbol, time_ms=0, price=low, quantity=size, aggressor=Side.SELL),
        BookTop(symbol=symbol, time_ms=0, bid=low, bid_quantity=size, ask=high, ask_quantity=size),
    )
    return still_venue(replace(still_options(), market=ListedMarket(known=(changed,), listed=listed)))


@pytest.mark.parametrize(
    ("symbol", "bid", "ask", "ladder", "words"),
    [
        (
            "BTCUSDT",
            "60000",
            "60000.1",
            {"interval": "0.25", "amount": 130},
            "the two nearest that work are 0.2 and 0.3",
        ),
        ("BTCUSDT", "97000", "97000.1", {"interval": 50, "amount": 50}, TWO_STEPS),
        ("ETHUSDT", "3000", "3000.01", {"interval": "0.01", "amount": 60}, "interval"),
    ],
)
def test_numbers_that_cannot_work_are_refused_with_those_that_do(
    tmp_path: Path, symbol: str, bid: str, ask: str, ladder: dict[str, Any], words: str
) -> None:
    with listing(symbol, {}, bid, ask) as venue:
        settings = live_settings(tmp_path, venue, {"symbol": symbol, "anchor": None, **ladder}, **WIDE)
        with deployed(settings, venue, waits=False) as live:
            live.until(lambda: live.state() == "refused", "the start is refused")
            wanted = ONE_STEP if words == TWO_STEPS and not venue.ways.has_least_value else words
            assert wanted in " ".join(live.coordinator.snapshot()["refusals"])
        assert venue.own_orders() == []


@pytest.mark.parametrize(
    ("symbol", "filters", "ladder", "path"),
    [
        pytest.param(
            "BTCUSDT",
            {"PRICE_FILTER": {"tickSize": "0.5"}},
            {"interval": "75.5", "amount": 130, "anchor": 60000},
            ("60000", "59890.5", "59810", "59999.5"),
            id="a tick of 0.5",
        ),
        pytest.param(
            "BTCUSDT",
            {"PRICE_FILTER": {"tickSize": "5", "minPrice": "5", "maxPrice": "800000"}},
            {"interval": 75, "amount": 130, "anchor": 60000},
            ("59995", "59890", "59810", "59995"),
            id="a tick of 5",
        ),
        pytest.param(
            "ETHUSDT",
            {
                "LOT_SIZE": {"stepSize": "0.0001", "minQty": "0.0001"},
                "MARKET_LOT_SIZE": {"stepSize": "0.0001", "minQty": "0.0001"},
                "MIN_NOTIONAL": {"notional": "0.5"},
            },
            {"interval": 2, "amount": 1, "anchor": 3000},
            ("2999.5", "2997.5", "2995.5", "2999"),
            id="quantities of 0.0003",
        ),
        pytest.param(
            "ETHUSDT",
            {},
            {"interval": 2, "amount": "29.3", "anchor": 1010},
            ("1009.5", "1007.5", "1003.5", "999.5", "997.5", "1001"),
            id="from 1010 down through 1000",
        ),
        pytest.param(
            "XRPUSDT",
            {"PRICE_FILTER": {"tickSize": "0.0000001", "minPrice": "0.0000001", "maxPrice": "10"}},
            {"interval": "0.0000002", "amount": 30, "anchor": "0.0000100"},
            ("0.0000100", "0.0000097", "0.0000095", "0.0000099"),
            id="prices of 1e-7",
        ),
    ],
)
def test_every_price_and_quantity_is_valid(
    tmp_path: Path, symbol: str, filters: Filters, ladder: dict[str, Any], path: tuple[str, ...]
) -> None:
    tick = Decimal(filters.get("PRICE_FILTER", {}).get("tickSize", "0.01"))
    with listing(symbol, filters, path[0], f"{Decimal(path[0]) + tick:f}") as venue:
        refused_before = venue.truth()["refusals"]
        with deployed(live_settings(tmp_path, venue, {"symbol": symbol, **ladder}, **WIDE), venue) as live:
            live.until(lambda: live.entries(symbol), "entries rest")
            live.walk(*path, name=symbol, spread=f"{tick:f}")
            assert live.symbol(symbol)["entry_fills"] >= 2
            assert live.symbol(symbol)["exit_fills"] >= 1
            see_unique_levels(live, symbol)
            live.reckon()
        orders = venue.own_orders(symbol)
        refused = {code: count for code, count in venue.truth()["refusals"].items() if code != WOULD_TAKE}
        assert refused == refused_before, "the venue was to find every order valid"

    assert {len(str(row["orderId"])) for row, _ in orders} == {venue.ways.order_id_length}
    assert all(Decimal(row["price"]) % tick == 0 for row, _ in orders)
    assert max(
        Decimal(row["price"]) * Decimal(row["origQty"]) for row, one in orders if not one.purpose.closing
    ) <= Decimal(str(ladder["amount"]))


def see_unique_levels(live: LiveDeployment, symbol: str) -> None:
    live_entries = Counter(live.entries(symbol))
    assert max(live_entries.values(), default=0) <= 1


def test_a_changed_interval_leaves_thirty_lots_their_targets(tmp_path: Path) -> None:
    with still_venue() as venue:
        wide = {"buy_window": 30, "sell_window": 40, "max_lots": 60}
        more = {**WIDE, "runtime": {"slots_per_actor": 16, "reconcile_s": 2}}
        with deployed(live_settings(tmp_path, venue, wide, **more), venue) as live:
            live.until(lambda: len(live.entries()) == 30, "thirty entries rest")
            venue.walk("ETHUSDT", "2939.5")
            live.until(lambda: len(live.exits()) == 30, "thirty lots are offered")
            live.settle()
            targets = {level: row["lot"]["target"] for level, row in live.levels().items() if row["lot"]}
            live.reckon()
        sent = len(venue.own_orders())

        with deployed(live_settings(tmp_path, venue, {**wide, "interval": 3}, **more), venue) as live:
            live.until(lambda: len(live.exits()) == 30, "all thirty are offered again")
            live.until(lambda: len(live.entries()) == 30, "entries of the new ladder rest")
            live.settle()
            lots = [row for row in live.symbol()["levels"] if row["lot"]]
            new = [(row, one) for row, one in venue.own_orders()[sent:] if one.purpose is Purpose.ENTRY]

            assert {row["level"]: row["lot"]["target"] for row in lots} == targets
            assert {row["generation"] for row in lots} == {0}
            assert {one.generation for _, one in new} == {1}
            assert all((Decimal(row["price"]) - 3000) % 3 == 0 for row, _ in new)
            live.reckon()
