"""The paper account: what it answers, what it keeps over a death, and that nothing is taken for granted in the dark."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest

from exchanges.errors import Refusal, VenueRefused, VenueUnreachable
from exchanges.paper.store import PaperAccountError, PaperStore
from exchanges.paper.terms import ways_of
from exchanges.port import StreamDown, StreamUp
from grid.order import OrderReport, OrderStatus, OrderUpdate, Side, TimeInForce
from grid.stop import StopRequest, StopStatus, WorkingType
from risk.veto import ApprovedStop
from tests.paper_market import MID, START_MS, PaperRig, order, paper, top, trade

T = TypeVar("T")


def run(path: Path, act: Callable[[PaperRig], Awaitable[T]], **terms: Any) -> T:
    async def whole() -> T:
        async with paper(path, **terms) as rig:
            return await act(rig)

    return asyncio.run(whole())


async def placed(rig: PaperRig, *wanted: Any, at_ms: int = 1) -> list[Any]:
    """Place orders, and let the market's time pass until they have arrived."""
    calls = [asyncio.ensure_future(rig.venue.place(one)) for one in wanted]
    await rig.play(top(MID, MID + 1, at_ms=at_ms))
    return await asyncio.gather(*calls, return_exceptions=True)


async def picture(rig: PaperRig) -> Any:
    """Return everything that the port tells of an account."""
    venue = rig.venue
    return (
        await venue.account(),
        await venue.positions(),
        await venue.open_orders(),
        await venue.open_stops(),
        await venue.fills_since("ETHUSDT", 0),
        await venue.orders_since("ETHUSDT", 0),
        await venue.income_since(0),
    )


def stop(client_id: str, trigger: int) -> ApprovedStop:
    return ApprovedStop(
        request=StopRequest(
            symbol="ETHUSDT", client_id=client_id, side=Side.SELL, trigger=trigger, working_type=WorkingType.MARK
        )
    )


async def traded(rig: PaperRig) -> None:
    """A bought lot with its exit resting, an open entry, a cancelled one, a part of a fill, a stop, a set leverage."""
    await rig.venue.set_leverage("ETHUSDT", 7)
    await placed(rig, order("buy", MID - 1), order("rest", MID - 5), order("gone", MID - 6), order("part", MID - 2, 40))
    cancelling = asyncio.ensure_future(rig.venue.cancel("ETHUSDT", "gone"))
    await rig.play(trade(MID - 1, 700, Side.SELL, at_ms=5))
    await rig.play(top(MID - 2, MID - 1, at_ms=6, bid_size=10))
    await rig.play(trade(MID - 2, 25, Side.SELL, at_ms=7))
    await cancelling
    await placed(rig, order("exit", MID + 50, 10, Side.SELL, closing=True), at_ms=9)
    stopping = asyncio.ensure_future(rig.venue.place_stop(stop("stop", MID - 4000)))
    await rig.play(("ETHUSDT", Decimal("2999.50"), START_MS + 20))
    await stopping


def test_everything_is_there_again_after_a_death(tmp_path: Path) -> None:
    path, copy = tmp_path / "account.sqlite", tmp_path / "copy.sqlite"

    def leave_as_killed() -> None:
        """Keep the file as a kill would leave it: never closed."""
        for part in tmp_path.glob("account.sqlite*"):
            shutil.copy(part, tmp_path / part.name.replace("account", "copy"))

    async def live(rig: PaperRig) -> Any:
        await traded(rig)
        leave_as_killed()
        return await picture(rig)

    before = run(path, live)

    assert [one.client_id for one in before[2]] == ["rest", "part", "exit"]
    assert sum(fill.quantity for fill in before[4]) == 25
    assert len(before[6]) == 3
    for file in (copy, path):
        account, positions, *rest = run(file, picture)
        assert rest == list(before[2:])
        assert account.wallet == before[0].wallet
        assert [(one.quantity, one.entry_price, one.leverage) for one in positions] == [
            (one.quantity, one.entry_price, one.leverage) for one in before[1]
        ]


def test_a_second_life_trades_on_with_what_rested_and_gives_no_id_twice(tmp_path: Path) -> None:
    path = tmp_path / "account.sqlite"
    run(path, traded)

    async def second(rig: PaperRig) -> tuple[list[str], set[str]]:
        earlier = {fill.trade_id for fill in await rig.venue.fills_since("ETHUSDT", 0)}
        orders = {one.order_id for one in await rig.venue.orders_since("ETHUSDT", 0)}
        [report] = await placed(rig, order("new", MID - 3), at_ms=100)
        assert report.order_id not in orders
        await rig.play(trade(MID - 60, 1, Side.SELL, at_ms=200))
        assert not earlier & {fill.trade_id for fill in rig.fills()}
        return [fill.client_id for fill in rig.fills()], earlier

    filled, _ = run(path, second)

    assert sorted(filled) == ["new", "part", "rest"]


def test_a_kept_stop_is_watched_in_the_next_life(tmp_path: Path) -> None:
    path = tmp_path / "account.sqlite"
    run(path, traded)

    async def fall(rig: PaperRig) -> Any:
        await rig.play(top(MID - 4001, MID - 4000, at_ms=300))
        await rig.play(("ETHUSDT", Decimal("2959.90"), START_MS + 301))
        return (await rig.venue.stop("ETHUSDT", "stop")).status, await rig.venue.positions()

    status, [position] = run(path, fall)

    assert status is StopStatus.TRIGGERED
    assert position.quantity == 0


def test_calls_are_answered_as_a_venue_answers(tmp_path: Path) -> None:
    async def ask(rig: PaperRig) -> list[Any]:
        good, taking, doubled = await placed(
            rig, order("one", MID - 1), order("takes", MID + 5), order("one", MID - 1), at_ms=1
        )
        assert isinstance(good, OrderReport)
        assert good.status is OrderStatus.NEW
        [reducing] = await placed(rig, order("reduce", MID + 9, 10, Side.SELL, closing=True), at_ms=2)
        with pytest.raises(VenueRefused) as absent:
            await rig.venue.order("ETHUSDT", "nobody")
        with pytest.raises(VenueRefused) as strange:
            await rig.venue.order("ETHUSDT", "", "not-a-number")
        cancelling = asyncio.ensure_future(rig.venue.cancel("ETHUSDT", "nobody"))
        await rig.play(top(MID, MID + 1, at_ms=9))
        with pytest.raises(VenueRefused) as unknown:
            await cancelling
        return [taking, doubled, reducing, absent.value, strange.value, unknown.value]

    assert [one.refusal for one in run(tmp_path / "a.sqlite", ask)] == [
        Refusal.POST_ONLY_WOULD_TAKE,
        Refusal.DUPLICATE_ID,
        Refusal.REDUCE_ONLY_CONFLICT,
        Refusal.UNKNOWN_ORDER,
        Refusal.UNKNOWN_ORDER,
        Refusal.UNKNOWN_ORDER,
    ]


def test_an_order_meets_nothing_of_the_moment_in_which_it_was_decided(tmp_path: Path) -> None:
    async def decide(rig: PaperRig) -> tuple[int, int]:
        await rig.play(top(MID, MID + 1, at_ms=50))
        placing = asyncio.ensure_future(rig.venue.place(order("buy", MID - 1)))
        await asyncio.sleep(0)
        await rig.play(trade(MID - 30, 900, Side.SELL, at_ms=50))
        before = len(rig.fills())
        await rig.play(top(MID, MID + 1, at_ms=51))
        await placing
        await rig.play(trade(MID - 30, 900, Side.SELL, at_ms=50, number=1))  # told late
        before += len(rig.fills())
        await rig.play(trade(MID - 30, 900, Side.SELL, at_ms=52, number=2))
        return before, len(rig.fills())

    assert run(tmp_path / "a.sqlite", decide) == (0, 1)


@pytest.mark.parametrize("venue", ["binanceusdm", "gate", "bybit", "okx", "bitget", "ccxt:okx", "kucoinfutures"])
def test_orders_that_a_venue_does_not_want_end_as_they_end_there(tmp_path: Path, venue: str) -> None:
    ways = ways_of(venue)

    async def ask(rig: PaperRig) -> tuple[Any, Any]:
        [taking] = await placed(rig, order("takes", MID + 5), at_ms=1)
        await placed(rig, order("lot", MID + 1, 10, time_in_force=TimeInForce.IOC), at_ms=3)
        [first] = await placed(rig, order("near", MID + 20, 10, Side.SELL, closing=True), at_ms=5)
        assert isinstance(first, OrderReport)
        [second] = await placed(rig, order("far", MID + 30, 10, Side.SELL, closing=True), at_ms=7)
        assert [one.client_id for one in await rig.venue.open_orders()] == ["near"]
        return taking, second

    taking, second = run(tmp_path / "a.sqlite", ask, ways=ways)

    if ways.post_only_cancels:
        assert isinstance(taking, OrderReport)
        assert taking.status is OrderStatus.NEW
    else:
        assert taking.refusal is Refusal.POST_ONLY_WOULD_TAKE
    if ways.reduce_only_strict:
        assert second.refusal is Refusal.REDUCE_ONLY_CONFLICT
    else:
        assert isinstance(second, OrderReport)
    assert ways.post_only_cancels is (venue not in ("binanceusdm", "gate"))
    assert ways.reduce_only_strict is (venue == "binanceusdm")


def test_a_paper_account_is_liquidated_under_the_venue_s_own_name(tmp_path: Path) -> None:
    async def fall(rig: PaperRig) -> Any:
        await placed(rig, order("take", MID + 1, 300, time_in_force=TimeInForce.IOC), order("rest", MID - 5), at_ms=5)
        await rig.play(top(MID - 40_000, MID - 39_999, at_ms=10))
        await rig.play(("ETHUSDT", Decimal(2600), START_MS + 11))
        [position] = await rig.venue.positions()
        names = [one.report.client_id for one in rig.told if isinstance(one, OrderUpdate)]
        return position.quantity, names, (await rig.venue.account()).wallet, await rig.venue.open_orders()

    quantity, names, wallet, resting = run(tmp_path / "a.sqlite", fall, balance=Decimal(100), leverage=20)

    assert quantity == 0
    assert any(name.startswith("autoclose-") for name in names)
    assert "rest" in names
    assert resting == []
    assert 0 <= wallet < 100


def test_a_cancel_never_overtakes_its_order(tmp_path: Path) -> None:
    async def race(rig: PaperRig) -> list[Any]:
        calls = []
        for number in range(20):
            calls.append(asyncio.ensure_future(rig.venue.place(order(f"o{number}", MID - 1 - number))))
            calls.append(asyncio.ensure_future(rig.venue.cancel("ETHUSDT", f"o{number}")))
        await asyncio.sleep(0)
        await rig.play(top(MID, MID + 1, at_ms=1000))
        return await asyncio.gather(*calls, return_exceptions=True)

    answers = run(tmp_path / "a.sqlite", race, latency_max_ms=200)

    assert [one.status for one in answers] == [OrderStatus.NEW, OrderStatus.CANCELED] * 20


def test_in_the_dark_nothing_new_is_taken_and_the_order_stream_is_down(tmp_path: Path) -> None:
    async def darken(rig: PaperRig) -> None:
        await placed(rig, order("rests", MID - 1))
        rig.market.say("trade", StreamDown(name="trade/ETHUSDT", reason="cut"))
        while not any(isinstance(one, StreamDown) for one in rig.told):  # noqa: ASYNC110
            await asyncio.sleep(0)
        with pytest.raises(VenueUnreachable, match="not heard"):
            await rig.venue.place(order("dark", MID - 2))
        cancelling = asyncio.ensure_future(rig.venue.cancel("ETHUSDT", "rests"))
        await rig.play(top(MID, MID + 1, at_ms=9))
        assert (await cancelling).status is OrderStatus.CANCELED
        rig.market.say("trade", StreamUp(name="trade/ETHUSDT"))
        while not isinstance(rig.told[-1], StreamUp):  # noqa: ASYNC110
            await asyncio.sleep(0)
        await placed(rig, order("light", MID - 2), at_ms=12)

    run(tmp_path / "a.sqlite", darken)


def test_the_fence_stands_before_every_write(tmp_path: Path) -> None:
    def closed() -> None:
        raise VenueUnreachable("fenced")

    async def fenced(rig: PaperRig) -> None:
        await placed(rig, order("rests", MID - 1))
        rig.venue.fence_by(closed)
        for call in (
            lambda: rig.venue.place(order("more", MID - 2)),
            lambda: rig.venue.cancel("ETHUSDT", "rests"),
            lambda: rig.venue.place_stop(stop("stop", MID - 500)),
            lambda: rig.venue.set_leverage("ETHUSDT", 3),
            lambda: rig.venue.set_countdown("ETHUSDT", 5000),
        ):
            with pytest.raises(VenueUnreachable, match="fenced"):
                await call()
        assert [one.client_id for one in await rig.venue.open_orders()] == ["rests"]

    run(tmp_path / "a.sqlite", fenced)


def test_fees_and_funding_are_those_of_the_terms(tmp_path: Path) -> None:
    async def pay(rig: PaperRig) -> Any:
        await placed(rig, order("take", MID + 1, 100, time_in_force=TimeInForce.IOC))
        await rig.play(("ETHUSDT", Decimal(3000), START_MS + 10))
        hours = 8 * 3600 * 1000
        await rig.play(("ETHUSDT", Decimal(3000), START_MS // hours * hours + hours))
        return {row.kind: row.amount for row in await rig.venue.income_since(0)}

    paid = run(tmp_path / "a.sqlite", pay, taker_fee=Decimal("0.001"), funding_rate=Decimal("0.0003"))

    assert paid["COMMISSION"] == -Decimal("0.001") * Decimal("3000.01") * Decimal("0.1")
    assert paid["FUNDING_FEE"] == -Decimal("0.0003") * 3000 * Decimal("0.1")


def test_a_look_changes_nothing_and_needs_no_account(tmp_path: Path) -> None:
    path = tmp_path / "account.sqlite"
    store = PaperStore(path, read_only=True)
    assert store.read() == {}
    store.keep([(("order", "1"), {})])
    store.close()
    assert not path.exists()

    run(path, traded)
    looked = PaperStore(path, read_only=True)
    kept = looked.read()
    looked.keep([], gone=list(kept))
    looked.close()

    assert PaperStore(path).read() == kept
    assert path.stat().st_mode & 0o077 == 0


def test_a_file_that_is_no_account_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "noise.sqlite").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(PaperAccountError, match=r"noise\.sqlite"):
        PaperStore(tmp_path / "noise.sqlite")
    newer = sqlite3.connect(tmp_path / "newer.sqlite")
    newer.execute("PRAGMA user_version=99")
    newer.close()
    with pytest.raises(PaperAccountError, match="format 99"):
        PaperStore(tmp_path / "newer.sqlite")


def test_the_balance_is_what_became_of_it(tmp_path: Path) -> None:
    path = tmp_path / "account.sqlite"
    run(path, traded)

    account = run(path, lambda rig: rig.venue.account(), balance=Decimal(77))

    assert replace(account, available=Decimal(0), unrealised=Decimal(0)).wallet > 9_000
