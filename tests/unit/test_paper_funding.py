"""Funding on paper, at the venue's own rate and time; and how long a call takes."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

from exchanges.port import FundingDue
from grid.order import TimeInForce
from tests.paper_market import MID, START_MS, PaperRig, order, top
from tests.unit.test_paper_account import placed, run

EIGHT_HOURS = 8 * 3600 * 1000
NEXT_MS = START_MS // EIGHT_HOURS * EIGHT_HOURS + EIGHT_HOURS
HOUR = 3600 * 1000


def funding_rows(rows: list[Any]) -> list[tuple[Decimal, int]]:
    return [(row.amount, row.venue_ms) for row in rows if row.kind == "FUNDING_FEE"]


async def hold_a_lot(rig: PaperRig, rate: str, due_ms: int) -> None:
    await placed(rig, order("take", MID + 1, 100, time_in_force=TimeInForce.IOC))
    await rig.play(("ETHUSDT", Decimal(3000), START_MS + 10))
    rig.venue.venue.take_funding(FundingDue(symbol="ETHUSDT", rate=Decimal(rate), at_ms=due_ms))


def test_funding_is_the_venue_s_own_rate_at_its_own_time(tmp_path: Path) -> None:
    async def pay(rig: PaperRig) -> Any:
        await hold_a_lot(rig, "0.0007", START_MS + HOUR)
        rig.venue.venue.take_funding(FundingDue(symbol="ETHUSDT", rate=Decimal("-0.0002"), at_ms=START_MS + HOUR))
        await rig.play(("ETHUSDT", Decimal(3000), START_MS + HOUR - 1))
        assert funding_rows(await rig.venue.income_since(0)) == []
        for later in (0, 1, 5000):
            await rig.play(("ETHUSDT", Decimal(3000), START_MS + HOUR + later))
        await rig.play(("ETHUSDT", Decimal(3000), NEXT_MS + 1))
        return funding_rows(await rig.venue.income_since(0))

    paid = run(tmp_path / "a.sqlite", pay)

    assert paid == [(Decimal("0.0002") * 3000 * Decimal("0.1"), START_MS + HOUR)]


def test_the_account_asks_the_venue_for_its_funding_and_a_rate_of_one_s_own_wins(tmp_path: Path) -> None:
    async def listen(rig: PaperRig) -> Any:
        await rig.market.heard_funding()
        return rig.venue.venue.engine.read.premium_index("ETHUSDT").funding_rate, rig.market.asked

    async def own(rig: PaperRig) -> Any:
        rig.market.due = FundingDue(symbol="ETHUSDT", rate=Decimal("0.0003"), at_ms=NEXT_MS)
        for _ in range(50):
            await asyncio.sleep(0)
        return rig.venue.venue.engine.read.premium_index("ETHUSDT").funding_rate, rig.market.asked

    assert run(tmp_path / "a.sqlite", listen) == (0, 1)
    assert run(tmp_path / "c.sqlite", own, funding_rate=Decimal("0.0005")) == (Decimal("0.0005"), 0)


def test_funding_that_fell_due_while_nothing_ran_is_paid_once(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"

    async def live(rig: PaperRig) -> None:
        await hold_a_lot(rig, "0.0004", START_MS + HOUR)

    async def again(rig: PaperRig) -> Any:
        await rig.play(("ETHUSDT", Decimal(3100), START_MS + 2 * HOUR))
        await rig.play(("ETHUSDT", Decimal(3100), START_MS + 3 * HOUR))
        return funding_rows(await rig.venue.income_since(0))

    run(path, live)

    [(paid, at_ms)] = run(path, again)
    assert (round(paid, 4), at_ms) == (-Decimal("0.12"), START_MS + HOUR)
    assert len(run(path, again)) == 1


def test_how_long_a_cancel_takes_is_a_matter_of_its_order_alone(tmp_path: Path) -> None:
    def ends(file: str, *names: str) -> dict[str, int]:
        async def cancel(rig: PaperRig) -> dict[str, int]:
            placing = [asyncio.ensure_future(rig.venue.place(order(f"o{n}", MID - n))) for n in (1, 2, 3)]
            await rig.play(top(MID, MID + 1, at_ms=1000))
            await asyncio.gather(*placing)
            calls = [asyncio.ensure_future(rig.venue.cancel("ETHUSDT", name)) for name in names]
            await rig.play(top(MID, MID + 1, at_ms=3000))
            return {one.client_id: one.venue_ms for one in await asyncio.gather(*calls)}

        return run(tmp_path / file, cancel, latency_max_ms=500)

    assert ends("a.sqlite", "o1", "o2", "o3") == ends("b.sqlite", "o3", "o1", "o2")
