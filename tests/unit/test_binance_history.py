"""The account's past is read whole, whatever the size of a page and the length of a window."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.binance import history
from exchanges.binance.history import WEEK_MS, History
from exchanges.binance.weights import INCOME_PAGE, TRADES_PAGE
from exchanges.cost import Cost
from exchanges.errors import BadReply
from tests.unit.binance_messages import instrument

KNOWN = {"ETHUSDT": instrument()}
NOW_MS = 1_700_000_000_000


class Ledger:
    """The venue's trade history with its documented rules; `newest_first` is the end that a full page keeps."""

    def __init__(self, times_ms: list[int], *, keeps_newest: bool = False) -> None:
        self.rows = [self._row(number, at_ms) for number, at_ms in enumerate(sorted(times_ms))]
        self.keeps_newest = keeps_newest
        self.asked: list[dict[str, Any]] = []
        self.paid: list[Cost] = []

    async def pay(self, cost: Cost) -> None:
        self.paid.append(cost)

    async def read(self, path: str, query: dict[str, Any]) -> Any:
        assert path == "userTrades"
        self.asked.append(query)
        rows, limit = self.rows, query["limit"]
        if "orderId" in query:
            rows = [row for row in rows if str(row["orderId"]) == query["orderId"]]
        if "fromId" in query:
            assert "startTime" not in query
            assert "endTime" not in query
            return [row for row in rows if row["id"] >= query["fromId"]][:limit]
        if "startTime" not in query:
            return rows[:limit]
        end_ms = query.get("endTime", query["startTime"] + WEEK_MS - 1)
        assert end_ms - query["startTime"] <= WEEK_MS
        within = [row for row in rows if query["startTime"] <= row["time"] <= end_ms]
        return within[-limit:] if self.keeps_newest else within[:limit]

    @staticmethod
    def _row(number: int, at_ms: int) -> dict[str, Any]:
        return {
            "symbol": "ETHUSDT",
            "id": number,
            "orderId": number // 4,
            "side": "BUY",
            "price": "3000.00",
            "qty": "0.010",
            "commission": "0.006",
            "commissionAsset": "USDT",
            "maker": True,
            "time": at_ms,
        }


@given(
    st.lists(st.integers(NOW_MS - 5 * WEEK_MS, NOW_MS + 900), max_size=40),
    st.integers(NOW_MS - 5 * WEEK_MS, NOW_MS),
    st.booleans(),
)
async def test_every_fill_since_is_returned_once_and_in_order(
    times_ms: list[int], since_ms: int, keeps_newest: bool
) -> None:
    ledger = Ledger(times_ms, keeps_newest=keeps_newest)
    page, history.PAGE = history.PAGE, 3
    try:
        fills = await History(ledger.read, lambda: KNOWN, ledger.pay).fills("ETHUSDT", since_ms, NOW_MS)
    finally:
        history.PAGE = page

    assert ledger.paid == [TRADES_PAGE] * (len(ledger.asked) - 1), "the caller pays for the first page alone"
    in_one_ms = max((times_ms.count(at_ms) for at_ms in times_ms), default=0)
    if in_one_ms <= 3 or not keeps_newest:
        expected = [str(row["id"]) for row in ledger.rows if row["time"] >= since_ms]
        assert [fill.trade_id for fill in fills] == expected


async def test_a_long_silence_is_crossed_in_windows() -> None:
    ledger = Ledger([NOW_MS - 5])
    fills = await History(ledger.read, lambda: KNOWN, ledger.pay).fills("ETHUSDT", NOW_MS - 4 * WEEK_MS - 10, NOW_MS)

    assert len(fills) == 1
    assert len(ledger.asked) <= 7


async def test_a_fill_newer_than_our_clock_is_not_missed() -> None:
    ledger = Ledger([NOW_MS + 500])

    assert len(await History(ledger.read, lambda: KNOWN, ledger.pay).fills("ETHUSDT", NOW_MS - 1000, NOW_MS)) == 1


async def test_the_fills_of_an_order_are_paged_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PAGE", 3)
    ledger = Ledger([NOW_MS + n for n in range(12)])
    fills = await History(ledger.read, lambda: KNOWN, ledger.pay).fills_of_order("ETHUSDT", "1")

    assert [fill.trade_id for fill in fills] == ["4", "5", "6", "7"]
    assert ledger.paid == [TRADES_PAGE] * (len(ledger.asked) - 1) != []


def income_row(number: int) -> dict[str, Any]:
    return {
        "symbol": "ETHUSDT",
        "incomeType": "COMMISSION",
        "income": "-0.006",
        "asset": "USDT",
        "time": NOW_MS + number,
        "tranId": number,
    }


async def test_income_is_paged_to_the_end_and_a_moved_row_comes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PAGE", 3)
    pages, paid = [[0, 1, 2], [2, 3, 4], [5]], []

    async def read(path: str, query: dict[str, Any]) -> Any:
        return [income_row(number) for number in pages[query["page"] - 1]]

    async def pay(cost: Cost) -> None:
        paid.append(cost)

    rows = await History(read, lambda: KNOWN, pay).income(NOW_MS)

    assert [row.transaction_id for row in rows] == ["0", "1", "2", "3", "4", "5"]
    assert paid == [INCOME_PAGE, INCOME_PAGE]


async def test_a_page_that_repeats_itself_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PAGE", 3)

    async def read(path: str, query: dict[str, Any]) -> Any:
        return [income_row(number) for number in range(3)]

    with pytest.raises(BadReply, match="page 2"):
        await History(read, lambda: KNOWN, Ledger([]).pay).income(NOW_MS)
