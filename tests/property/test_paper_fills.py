"""Whatever the market does, a paper fill is one that the market paid for: by what traded, after what stood before."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from exchanges.errors import VenueError
from exchanges.port import PublicTrade
from grid.order import Fill, Quote, Side, TimeInForce
from tests.paper_market import MID, START_MS, PaperRig, order, paper, top, trade

SPAN = 6


@dataclass(frozen=True, slots=True)
class Step:
    kind: str
    offset: int
    size: int
    side: Side
    wait_ms: int
    spread: int = 1


Market = list[Quote | PublicTrade]


@dataclass(frozen=True, slots=True)
class Played:
    """What the market said, in the order in which the account heard it, and how much of it before each order."""

    told: Market
    sent_at: dict[str, int]
    rig: PaperRig

    def begins(self, client_id: str, arrived_ms: int) -> int:
        """Return the first event that the order met: calls arrive before what has their own stamp."""
        first = self.sent_at[client_id]
        return next(at for at in range(first, len(self.told)) if self.told[at].venue_ms >= arrived_ms)

    def met(self, client_id: str, arrived_ms: int) -> Quote:
        """Return the best prices at its arrival."""
        known = self.told[: self.begins(client_id, arrived_ms)]
        return next(one for one in reversed(known) if isinstance(one, Quote))


steps = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from(["quote", "quote", "trade", "trade", "trade", "rest", "rest", "take"]),
        offset=st.integers(-SPAN, SPAN),
        size=st.integers(1, 60),
        side=st.sampled_from(Side),
        wait_ms=st.sampled_from([0, 0, 1, 7, 40]),
        spread=st.integers(1, 3),
    ),
    min_size=5,
    max_size=60,
)


async def played(path: Path, plan: Sequence[Step], latency_ms: int) -> Played:
    """Play the steps."""
    told: Market = [top(MID, MID + 1)]
    sent_at: dict[str, int] = {}
    calls = []
    async with paper(
        path, balance=Decimal(10_000_000), latency_min_ms=latency_ms // 2, latency_max_ms=latency_ms
    ) as rig:
        at_ms = 0
        for number, step in enumerate(plan):
            at_ms += step.wait_ms
            price = MID + step.offset
            if step.kind == "quote":
                event: Quote | PublicTrade = top(
                    price, price + step.spread, at_ms=at_ms, bid_size=step.size, ask_size=61 - step.size
                )
            elif step.kind == "trade":
                event = trade(price, step.size, step.side, at_ms=at_ms, number=number)
            else:
                lifetime = TimeInForce.POST_ONLY if step.kind == "rest" else TimeInForce.IOC
                approved = order(f"o{number}", price, step.size, step.side, time_in_force=lifetime)
                sent_at[f"o{number}"] = len(told)
                calls.append(asyncio.ensure_future(rig.venue.place(approved)))
                continue
            told.append(event)
            await rig.play(event)
        told.append(last := top(MID - 90, MID + 90, at_ms=at_ms + 1000))
        await rig.play(last)
        await asyncio.gather(*calls, return_exceptions=True)
        for call in calls:
            assert call.exception() is None or isinstance(call.exception(), VenueError)
    return Played(told, sent_at, rig)


def check_maker(seen: Played, client_id: str, arrived_ms: int, fills: Sequence[Fill]) -> None:
    """Each fill was paid for by a trade beyond the price, or by trades at it that first used up the size shown."""
    limit, side = fills[0].price, fills[0].side
    met = seen.met(client_id, arrived_ms)
    best, shown = (met.bid, met.bid_quantity) if side is Side.BUY else (met.ask, met.ask_quantity)
    ahead = shown if limit == best else 0
    heard = [one for one in seen.told[seen.begins(client_id, arrived_ms) :] if isinstance(one, PublicTrade)]
    filled = 0
    for fill in fills:
        filled += fill.quantity
        trades = [one for one in heard if one.venue_ms <= fill.venue_ms]
        beyond = [one for one in trades if (limit - one.price) * side.sign > 0 and one.venue_ms == fill.venue_ms]
        at_price = sum(one.quantity for one in trades if one.price == limit and one.aggressor is not side)
        assert beyond or at_price >= ahead + filled, f"{filled} filled at {limit} after {at_price} with {ahead} ahead"


@settings(max_examples=80, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(plan=steps, latency_ms=st.sampled_from([0, 5, 30]))
def test_no_fill_is_better_or_earlier_than_the_market_gave(plan: list[Step], latency_ms: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        seen = asyncio.run(played(Path(folder) / "account.sqlite", plan, latency_ms))

    limits = {f"o{number}": (MID + step.offset, step.side) for number, step in enumerate(plan)}
    arrived: dict[str, int] = {}
    makers: dict[str, list[Fill]] = {}
    for one in seen.rig.told:
        report = getattr(one, "report", None)
        if report is not None:
            arrived.setdefault(report.client_id, report.venue_ms)
    for client_id, arrived_ms in arrived.items():
        assert arrived_ms >= seen.told[seen.sent_at[client_id] - 1].venue_ms + latency_ms // 2, "it came too early"
    for fill in seen.rig.fills():
        limit, side = limits[fill.client_id]
        assert fill.side is side
        assert fill.venue_ms >= arrived[fill.client_id] >= START_MS
        if fill.is_maker:
            assert fill.price == limit
            makers.setdefault(fill.client_id, []).append(fill)
        else:
            met = seen.met(fill.client_id, arrived[fill.client_id])
            best = met.ask if side is Side.BUY else met.bid
            assert (limit - fill.price) * side.sign >= 0
            assert (fill.price - best) * side.sign >= 0, "a taker pays at least the best price of the others"
    for client_id, fills in makers.items():
        check_maker(seen, client_id, arrived[client_id], fills)


def test_equal_markets_give_equal_fills(tmp_path: Path) -> None:
    plan = [
        Step("rest", -1, 20, Side.BUY, 3),
        Step("rest", 2, 20, Side.SELL, 3),
        Step("trade", -1, 30, Side.SELL, 9),
        Step("quote", -1, 30, Side.SELL, 9),
        Step("trade", -2, 7, Side.SELL, 40),
        Step("trade", 3, 7, Side.BUY, 40),
    ]
    one = asyncio.run(played(tmp_path / "one.sqlite", plan, 30)).rig.fills()
    two = asyncio.run(played(tmp_path / "two.sqlite", plan, 30)).rig.fills()

    assert one == two
    assert [(fill.price, fill.quantity) for fill in one] == [(MID - 1, 20), (MID + 2, 20)]


@pytest.mark.parametrize(("shown", "filled"), [(30, 5), (35, 0), (0, 10)])
def test_the_queue_is_the_size_shown_at_arrival(tmp_path: Path, shown: int, filled: int) -> None:
    async def run() -> list[Fill]:
        async with paper(tmp_path / "a.sqlite", top(MID, MID + 1, bid_size=shown)) as rig:
            resting = asyncio.ensure_future(rig.venue.place(order("mine", MID)))
            await rig.play(trade(MID, 35, Side.SELL, at_ms=1))
            await resting
            return rig.fills()

    assert sum(fill.quantity for fill in asyncio.run(run())) == filled
