"""Neutral grids: where both ladders lie, and a book that fills of either side reach in any order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid.book import Book
from grid.bounded import PriceRange
from grid.errors import ConfigError
from grid.ladder import GridSide, Spacing
from grid.neutral import due_ladders, half_of, start_price
from grid.order import Fill, Purpose, Side
from grid.records import FillBooked, GenerationStarted, OrderIntended, OrderMarked, Record
from grid.slot import Signal, SlotKey
from grid.snapshot import from_snapshot, to_snapshot
from tests.simulation.worlds import SYMBOL, example_plan

PLAN = example_plan()
POLICY, INSTRUMENT = PLAN.policy, PLAN.instrument


def levels(spacing: Spacing, anchor: int, interval: int, ratio: str) -> GenerationStarted:
    return replace(PLAN.generation(0, anchor), spacing=spacing, interval=interval, ratio=Decimal(ratio))


@given(
    spacing=st.sampled_from(Spacing),
    anchor=st.integers(290_500, 309_500),
    interval=st.integers(2, 499),
    ratio=st.sampled_from(["1.0004", "1.001", "1.0016"]),
    price=st.integers(280_000, 320_000),
)
def test_both_ladders_lie_on_their_side_of_the_start_price_with_their_targets(
    spacing: Spacing, anchor: int, interval: int, ratio: str, price: int
) -> None:
    bounds = PriceRange(symbol=SYMBOL, low=Decimal(2900), high=Decimal(3100), count=10)

    ladders = due_ladders(None, levels(spacing, anchor, interval, ratio), price)

    for side in GridSide:
        ladder = ladders.of(side).ladder()
        half = half_of(POLICY, bounds, ladder, INSTRUMENT)
        assert half.lowest_level is not None
        assert half.highest_level == -1
        assert ladder.price(0) == anchor
        ends = [ladder.price(half.lowest_level), ladder.price(-1)]
        slack = 1 if spacing is Spacing.GEOMETRIC else 0
        low, high = (290_000 - slack, anchor) if side is GridSide.LONG else (anchor, 310_000 + slack)
        assert low <= min(ends) <= max(ends) <= high
        beyond = ladder.price(half.lowest_level - 1)
        assert beyond < low if side is GridSide.LONG else beyond > high
    assert ladders.present is (GridSide.LONG if price <= anchor else GridSide.SHORT)
    assert ladders.both[1].side is ladders.present


def test_a_start_price_without_a_level_on_one_side_is_refused_by_name() -> None:
    bounds = PriceRange(symbol=SYMBOL, low=Decimal(2999), high=Decimal(3100), count=10)
    ladder = levels(Spacing.ARITHMETIC, 300_000, 200, "1").ladder()

    with pytest.raises(ConfigError, match="at least one step from either end of the range; 2999"):
        half_of(POLICY, bounds, ladder, INSTRUMENT)


def begun(present: GridSide) -> tuple[Book, list[Record]]:
    price = 300_000 + (0 if present is GridSide.LONG else 1)
    records: list[Record] = list(due_ladders(None, PLAN.generation(0, 300_000), price).both)
    book = Book()
    book.replay(records)
    return book, records


@given(present=st.sampled_from(GridSide), price=st.integers(290_000, 310_000))
def test_the_journals_ladders_are_taken_up_again_and_others_begin_anew(present: GridSide, price: int) -> None:
    book, _ = begun(present)
    symbol = book.symbol(SYMBOL)

    again = due_ladders(symbol, PLAN.generation(0, 300_000), price)
    other = due_ladders(symbol, PLAN.generation(0, 300_200), price)

    assert (again.is_new, again.present, {one.generation for one in again.both}) == (False, present, {0, 1})
    assert (other.is_new, {one.generation for one in other.both}) == (True, {2, 3})
    assert start_price(symbol) == 300_000


TRADES = st.lists(
    st.tuples(st.sampled_from(GridSide), st.integers(-6, -1), st.booleans(), st.integers(1, 15), st.integers(-40, 40)),
    max_size=30,
)


@given(present=st.sampled_from(GridSide), trades=TRADES)
def test_whatever_fills_on_either_side_position_and_cash_tie_and_lots_are_of_one_side(
    present: GridSide, trades: list[tuple[GridSide, int, bool, int, int]]
) -> None:
    book, records = begun(present)
    ladders = {one.side: one for one in book.symbol(SYMBOL).generations.values()}
    position, cash, fees = 0, Decimal(0), Decimal(0)

    for number, (side, level, closes, steps, wobble) in enumerate(trades):
        ladder = ladders[side].ladder()
        key = SlotKey(symbol=SYMBOL, generation=ladder.generation, level=level)
        lot = book.symbol(SYMBOL).slot(key).lot
        if closes and lot is None:
            continue
        purpose = Purpose.EXIT if closes else Purpose.ENTRY
        quantity = min(steps, lot.quantity) if closes and lot is not None else steps
        way = side.entry_side.other if closes else side.entry_side
        fill = _fill(number, way, ladder.price(level) + wobble, quantity)
        for record in (_intent(number, key, purpose, way, ladder.price(level + 1)), _acked(number), _booked(fill)):
            book.apply(record)
            records.append(record)
        position += way.sign * quantity
        cash -= way.sign * INSTRUMENT.notional(fill.price, quantity)
        fees += fill.fee

        symbol = book.symbol(SYMBOL)
        assert symbol.expected_position() == position
        assert symbol.foreign == 0
        assert len({symbol.side_of(key) for key, _ in symbol.lots()}) <= 1
        held = sum((lot.cost for _, lot in symbol.lots()), Decimal(0))
        assert symbol.ledger.cash == cash
        assert symbol.ledger.realised - symbol.held_sign * held == cash
        assert symbol.ledger.fees_in("USDT") == fees

    again = Book()
    again.replay(records)
    assert to_snapshot(again) == to_snapshot(book) == to_snapshot(from_snapshot(to_snapshot(book)))


def _intent(number: int, key: SlotKey, purpose: Purpose, side: Side, target: int) -> OrderIntended:
    return OrderIntended(
        client_id=f"c{number}",
        symbol=SYMBOL,
        key=key,
        purpose=purpose,
        side=side,
        price=1,
        quantity=100,
        target=target,
        at_ms=number,
        attach=False,
    )


def _acked(number: int) -> OrderMarked:
    return OrderMarked(client_id=f"c{number}", symbol=SYMBOL, signal=Signal.ACKED, order_id=f"v{number}")


def _booked(fill: Fill) -> FillBooked:
    return FillBooked(fill=fill, client_id=f"c{fill.trade_id}")


def _fill(number: int, side: Side, price: int, quantity: int) -> Fill:
    return Fill(
        symbol=SYMBOL,
        order_id=f"v{number}",
        trade_id=str(number),
        client_id=f"c{number}",
        side=side,
        price=price,
        quantity=quantity,
        fee=INSTRUMENT.notional(price, quantity) * Decimal("0.0002"),
        fee_asset="USDT",
        is_maker=True,
        venue_ms=number + 1,
    )
