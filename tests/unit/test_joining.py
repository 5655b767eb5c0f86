"""Orders and trades come by two channels: what the desk hears, whichever comes first, twice, or never."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.session.joining import WAIT_NS, FillJoiner
from grid.order import Fill, OrderReport, OrderStatus, OrderUpdate, Side

NEW = OrderReport(
    symbol="BTCUSDT",
    order_id="1",
    client_id="my1",
    side=Side.BUY,
    status=OrderStatus.NEW,
    price=400000,
    quantity=5,
    filled=0,
    closing=False,
    venue_ms=1,
)
PART = replace(NEW, status=OrderStatus.PARTIALLY_FILLED, filled=3)
WHOLE = replace(NEW, status=OrderStatus.FILLED, filled=5)


def fill(trade_id: str, quantity: int) -> Fill:
    return Fill(
        symbol="BTCUSDT",
        order_id="1",
        trade_id=trade_id,
        client_id="my1",
        side=Side.BUY,
        price=400000,
        quantity=quantity,
        fee=Decimal("0.01"),
        fee_asset="USDT",
        is_maker=True,
        venue_ms=2,
    )


def heard(joiner: FillJoiner, *events: OrderReport | Fill) -> list[OrderUpdate]:
    found: list[OrderUpdate] = []
    for event in events:
        found += joiner.trade(event, 0) if isinstance(event, Fill) else joiner.order(event, 0)
    return found


@pytest.mark.parametrize(
    "events",
    [
        (NEW, PART, fill("a", 3), WHOLE, fill("b", 2)),
        (NEW, fill("a", 3), PART, fill("b", 2), WHOLE),
        (NEW, PART, WHOLE, fill("a", 3), fill("b", 2)),
        (NEW, fill("a", 3), fill("b", 2), WHOLE),
        (NEW, PART, PART, fill("a", 3), fill("a", 3), WHOLE, fill("b", 2), fill("b", 2)),
    ],
)
def test_every_fill_is_told_once_with_the_order_that_it_is_of(events: tuple[OrderReport | Fill, ...]) -> None:
    updates = heard(FillJoiner(), *events)

    with_fills = [(one.report.status, one.report.filled, one.fill.trade_id) for one in updates if one.fill]
    assert with_fills == [(OrderStatus.PARTIALLY_FILLED, 3, "a"), (OrderStatus.FILLED, 5, "b")]
    assert updates[0].report.status is OrderStatus.NEW
    assert updates[-1].report.filled == 5


def test_a_cancel_that_carries_a_fill_ends_with_it() -> None:
    cancelled = replace(PART, status=OrderStatus.CANCELED)
    updates = heard(FillJoiner(), NEW, cancelled, fill("a", 3))

    assert [(one.report.status, one.fill is None) for one in updates] == [
        (OrderStatus.NEW, True),
        (OrderStatus.CANCELED, False),
    ]


def test_an_order_whose_trade_never_comes_is_told_alone() -> None:
    joiner = FillJoiner()
    assert heard(joiner, NEW, WHOLE) == [OrderUpdate(report=NEW)]

    assert joiner.overdue(WAIT_NS - 1) == ([], [])
    assert joiner.overdue(WAIT_NS) == ([OrderUpdate(report=WHOLE)], [])
    assert joiner.overdue(2 * WAIT_NS) == ([], [])
    late = joiner.trade(fill("a", 5), 2 * WAIT_NS)
    assert late == [OrderUpdate(report=WHOLE, fill=fill("a", 5))]


def test_a_trade_whose_order_is_silent_is_told_with_what_is_known() -> None:
    joiner = FillJoiner()
    heard(joiner, NEW, fill("a", 3))

    (update,), strangers = joiner.overdue(WAIT_NS)

    assert (update.report.status, update.report.filled, update.fill) == (
        OrderStatus.PARTIALLY_FILLED,
        3,
        fill("a", 3),
    )
    assert strangers == []


def test_a_trade_of_an_order_that_was_never_told_asks_for_it() -> None:
    joiner = FillJoiner()
    assert heard(joiner, fill("a", 5)) == []

    assert joiner.overdue(WAIT_NS) == ([], [fill("a", 5)])
    assert joiner.order(WHOLE, WAIT_NS) == [OrderUpdate(report=WHOLE, fill=fill("a", 5))]
