"""The book over random valid histories: replay, snapshots, positions and money."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid.errors import UnexpectedSignal
from grid.ladder import GridSide
from grid.records import FillBooked, ForeignSet, FundingBooked, LotSet, from_body, to_body
from grid.snapshot import from_snapshot, to_snapshot
from tests.grid_histories import EVENTS, SIDES, Event, everything, replayed, run
from tests.grid_world import SYMBOL


@given(EVENTS, SIDES)
def test_a_replayed_book_is_the_live_one(events: list[Event], side: GridSide) -> None:
    history = run(events, side)

    assert everything(replayed(history.records)) == everything(history.book)


@given(EVENTS, SIDES)
def test_records_survive_the_journal(events: list[Event], side: GridSide) -> None:
    history = run(events, side)
    rows = [to_body(record) for record in history.records]

    read = [from_body(kind, json.loads(json.dumps(body))) for kind, _, body in rows]

    assert read == history.records
    assert {symbol for _, symbol, _ in rows} <= {SYMBOL, ""}


@given(EVENTS, SIDES, st.integers(0, 400))
def test_a_snapshot_and_the_records_after_it_are_the_whole_history(
    events: list[Event], side: GridSide, cut: int
) -> None:
    history = run(events, side)
    cut = min(cut, len(history.records))
    early = replayed(history.records[:cut])

    body = json.loads(json.dumps(to_snapshot(early)))
    book = from_snapshot(body)
    assert everything(book) == everything(early)

    book.replay(history.records[cut:])
    assert everything(book) == everything(history.book)
    assert to_snapshot(early) == body


@given(EVENTS, SIDES)
def test_cash_is_profit_and_funding_and_the_cost_of_what_is_held_exactly(events: list[Event], side: GridSide) -> None:
    book = run(events, side).book.symbol(SYMBOL)
    ledger = book.ledger
    cost = sum((lot.cost for _, lot in book.lots()), Decimal(0))

    assert ledger.cash == ledger.realised + ledger.funding - side.sign * (cost - ledger.adjusted)


@given(EVENTS, SIDES)
def test_no_money_appears_or_vanishes_between_ours_and_the_strangers(events: list[Event], side: GridSide) -> None:
    history = run(events, side)
    ledger = history.book.symbol(SYMBOL).ledger
    fills = [r.fill for r in history.records if isinstance(r, FillBooked)]
    paid = {r.transaction_id: r for r in reversed(history.records) if isinstance(r, FundingBooked)}

    moved = sum((-f.side.sign * history.instrument.notional(f.price, f.quantity) for f in fills), Decimal(0))
    funding = sum((record.amount for record in paid.values()), Decimal(0))
    assert ledger.cash + ledger.foreign_cash == moved + funding
    for asset in ("USDT", "BNB"):
        fees = sum((f.fee for f in fills if f.fee_asset == asset), Decimal(0))
        assert ledger.fees_in(asset) + dict(ledger.foreign_fees).get(asset, Decimal(0)) == fees


@given(EVENTS, SIDES)
def test_the_position_is_what_all_fills_and_settings_add_up_to(events: list[Event], side: GridSide) -> None:
    history = run(events, side)
    expected = 0
    book = replayed([])

    for record in history.records:
        before = book.symbol(SYMBOL).expected_position() if book.symbols else 0
        book.apply(record)
        after = book.symbol(SYMBOL).expected_position()
        if isinstance(record, FillBooked):
            expected += record.fill.side.sign * record.fill.quantity
        elif isinstance(record, ForeignSet | LotSet):
            expected += after - before
        assert after == expected


@given(EVENTS, SIDES)
def test_a_fill_booked_twice_is_refused_and_changes_nothing(events: list[Event], side: GridSide) -> None:
    history = run(events, side)
    before = everything(replayed(history.records))

    for record in [r for r in history.records if isinstance(r, FillBooked)]:
        with pytest.raises(UnexpectedSignal, match="booked twice"):
            history.book.apply(record)

    assert everything(history.book) == before


@given(EVENTS, SIDES)
def test_a_slot_has_at_most_one_order_and_each_order_its_slot(events: list[Event], side: GridSide) -> None:
    book = run(events, side).book
    attached = [o for o in book.live_orders(SYMBOL) if o.key is not None and o.is_attached]

    assert len({order.key for order in attached}) == len(attached)
    for order in attached:
        assert order.key is not None
        held = book.symbol(SYMBOL).slot(order.key).order
        assert held is not None
        assert (held.client_id, held.filled) == (order.client_id, order.booked)
    for slot in book.symbol(SYMBOL).slots.values():
        assert slot.lot is None or slot.lot.quantity > 0


@given(EVENTS, SIDES, st.decimals(-5, 5, places=8), st.integers(-30, 30))
def test_funding_is_shared_out_to_the_last_digit(
    events: list[Event], side: GridSide, amount: Decimal, foreign: int
) -> None:
    book = run(events, side).book
    book.apply(ForeignSet(symbol=SYMBOL, quantity=foreign, reason="read"))
    symbol = book.symbol(SYMBOL)
    before, cash_before = {key: lot.funding for key, lot in symbol.lots()}, symbol.ledger.foreign_cash
    total_before = symbol.ledger.funding

    book.apply(FundingBooked(symbol=SYMBOL, transaction_id="new", amount=amount, asset="USDT", venue_ms=1))

    shares = {key: lot.funding - before[key] for key, lot in symbol.lots()}
    ours, theirs = symbol.ledger.funding - total_before, symbol.ledger.foreign_cash - cash_before
    assert ours + theirs == amount
    if shares:
        assert sum(shares.values(), Decimal(0)) == ours
        held = side.sign * symbol.expected_position()
        for key, lot in symbol.lots():
            if held:
                assert abs(shares[key] - amount * lot.quantity / held) <= Decimal("1e-10")
