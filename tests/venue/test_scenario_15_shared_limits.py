"""Scenario 15, second half, live: ten symbols of one account share its limits; 429, then a ban with Retry-After."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from exchanges.sim.catalogue import ENTRIES, exchange_info_entry
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import BookTop, MarketEvent, Trade
from exchanges.sim.server.market_source import ListedMarket
from grid.order import Purpose, Side
from tests.live_control import VenueControl, still_venue
from tests.live_deployment import LiveDeployment, deployed, live_settings
from tests.venue.running_venue import still_options

SYMBOLS = tuple(f"E{number}USDT" for number in range(10))
SOLD_OFF = SYMBOLS[:4]
BAN_MS = 8_000
LIMITS = {
    "account": {"max_notional": 20000, "daily_loss": 5000},
    "runtime": {"slots_per_actor": 8, "look_ahead": 0, "reconcile_s": 3},
}


@contextmanager
def ten_contracts() -> Iterator[VenueControl]:
    raw = exchange_info_entry(next(entry for entry in ENTRIES if entry.base == "ETH"))
    known = [
        SimInstrument.from_exchange_info({**raw, "symbol": name, "pair": name, "baseAsset": name.removesuffix("USDT")})
        for name in SYMBOLS
    ]
    listed: list[MarketEvent] = []
    for held in known:
        bid, ask, size = held.ticks(Decimal(3000)), held.ticks(Decimal("3000.01")), held.steps(Decimal(500))
        listed.append(Trade(symbol=held.symbol, time_ms=0, price=bid, quantity=size, aggressor=Side.SELL))
        listed.append(BookTop(symbol=held.symbol, time_ms=0, bid=bid, bid_quantity=size, ask=ask, ask_quantity=size))
    with still_venue(replace(still_options(), market=ListedMarket(known=tuple(known), listed=tuple(listed)))) as venue:
        yield venue


def whole(live: LiveDeployment) -> bool:
    return all(len(live.entries(name)) == 2 for name in SYMBOLS)


def test_a_ban_is_waited_out_exits_go_first_and_nothing_is_lost(tmp_path: Path) -> None:
    with ten_contracts() as venue:
        ladders = [{"symbol": name, "buy_window": 2} for name in SYMBOLS]
        with deployed(live_settings(tmp_path, venue, *ladders, **LIMITS), venue) as live:
            live.until(lambda: whole(live), "ten ladders rest")
            for name in SYMBOLS:
                live.settle(name)

            venue.fault("rate_limited", delay=1_000, scope={"endpoint": "order.place"}, count=1)
            venue.fault("rate_limited", delay=1_000, scope={"endpoint": "orders.open"}, count=1)
            live.crew.ask(live.roster.gateway, "reconcile", "so that a reading meets the limit")
            live.until(lambda: len(venue.strikes("rate_limited")) >= 1, "a call is told 429")
            venue.heal()

            before = len(venue.own_orders())
            if venue.ways.tells_ban_end:
                venue.verb("limits", action="ban", length_ms=BAN_MS)
            banned_at_ms = venue.truth()["time"]
            for name in SYMBOLS:
                venue.walk(name, "2997.50" if name in SOLD_OFF else "3004.50")
            live.until(lambda: all(live.exits(name) == [-1] for name in SOLD_OFF), "what was bought is offered")
            live.until(lambda: whole(live), "every ladder is whole again")
            for name in SYMBOLS:
                live.settle(name)
            if venue.ways.tells_ban_end and venue.ways.bans_sockets:
                assert all(row["time"] >= banned_at_ms + BAN_MS for row, _ in venue.own_orders()[before:])
                see_exits_first(venue, before)
            live.reckon()


def see_exits_first(venue: VenueControl, before: int) -> None:
    """Of the orders since the ban, no entry was taken by the venue before an exit that waited with it."""
    late = venue.own_orders()[before:]
    exits = [number for number, (_, one) in enumerate(late) if one.purpose is Purpose.EXIT]
    entries = [number for number, (_, one) in enumerate(late) if one.purpose is Purpose.ENTRY]
    assert len(exits) >= len(SOLD_OFF)
    assert max(exits[: len(SOLD_OFF)]) < min(entries), [one.purpose.name for _, one in late]
