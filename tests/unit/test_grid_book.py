"""The book's races and its money, case by case; histories are in the property tests."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from grid import book as book_module
from grid.book import Book
from grid.errors import GridmeshError, UnexpectedSignal
from grid.holds import Hold, HoldCause, HoldSet
from grid.ladder import GridSide
from grid.ledger import value
from grid.lot import Lot
from grid.order import Fill, OrderStatus, Purpose, Side
from grid.records import (
    FillBooked,
    ForeignSet,
    FundingBooked,
    HoldLifted,
    HoldPut,
    LotSet,
    OrderEnded,
    OrderIntended,
    OrderMarked,
    Record,
    SlotCleared,
)
from grid.slot import Phase, Signal, SlotKey
from grid.snapshot import from_snapshot, to_snapshot
from tests.grid_histories import everything
from tests.grid_world import SYMBOL, generation, instrument

KEY = SlotKey(symbol=SYMBOL, generation=1, level=-1)


def intended(client_id: str = "in", *, purpose: Purpose = Purpose.ENTRY, key: SlotKey | None = KEY) -> OrderIntended:
    return OrderIntended(
        client_id=client_id,
        symbol=SYMBOL,
        key=key,
        purpose=purpose,
        side=Side.SELL if purpose.closing else Side.BUY,
        price=299_800,
        quantity=10,
        target=300_000,
        at_ms=1,
    )


def marked(signal: Signal, client_id: str = "in", order_id: str = "v1") -> OrderMarked:
    return OrderMarked(client_id=client_id, symbol=SYMBOL, signal=signal, order_id=order_id)


def ended(filled: int, client_id: str = "in", *, by_venue: bool = False) -> OrderEnded:
    return OrderEnded(
        client_id=client_id,
        symbol=SYMBOL,
        order_id="v1",
        status=OrderStatus.CANCELED,
        filled=filled,
        by_venue=by_venue,
    )


def filled(
    trade: int, quantity: int, client_id: str = "in", *, side: Side = Side.BUY, price: int = 299_800
) -> FillBooked:
    fill = Fill(
        symbol=SYMBOL,
        order_id="v1" if client_id else "hand",
        trade_id=str(trade),
        client_id=client_id,
        side=side,
        price=price,
        quantity=quantity,
        fee=Decimal("0.001"),
        fee_asset="USDT",
        is_maker=True,
        venue_ms=trade,
    )
    return FillBooked(fill=fill, client_id=client_id)


def book_of(*records: Record, side: GridSide = GridSide.LONG) -> Book:
    book = Book()
    book.replay([generation(side), *records])
    return book


def lot_at(level: int, quantity: int, cost: str) -> LotSet:
    key = replace(KEY, level=level)
    target = 300_000 + 200 * (level + 1)
    return LotSet(key=key, lot=Lot(quantity=quantity, cost=Decimal(cost), target=target), reason="given")


def test_an_end_with_more_executed_than_booked_waits_for_the_fills() -> None:
    book = book_of(intended(), marked(Signal.ACKED), filled(1, 3), ended(7))
    assert book.symbol(SYMBOL).slot(KEY).phase is Phase.SETTLING

    book.apply(filled(2, 3))
    assert book.symbol(SYMBOL).slot(KEY).phase is Phase.SETTLING
    book.apply(filled(3, 1))

    slot = book.symbol(SYMBOL).slot(KEY)
    assert slot.lot is not None
    assert (slot.phase, slot.order, slot.lot.quantity) == (Phase.FREE, None, 7)


@pytest.mark.parametrize("late", [marked(Signal.ACKED), marked(Signal.LOST), marked(Signal.CANCEL_FAILED), ended(7)])
def test_a_reply_that_comes_while_fills_are_fetched_is_taken(late: Record) -> None:
    book = book_of(intended(), filled(1, 3), ended(7))

    book.apply(late)
    book.apply(filled(2, 4))

    assert book.symbol(SYMBOL).slot(KEY).phase is Phase.FREE


def test_an_older_end_takes_nothing_back() -> None:
    book = book_of(intended(), filled(1, 3), ended(7), ended(3))

    assert book.orders["in"].missing == 4
    assert book.symbol(SYMBOL).slot(KEY).phase is Phase.SETTLING


def test_a_fill_before_the_reply_proves_that_the_order_lives() -> None:
    book = book_of(intended(), filled(1, 3))

    slot = book.symbol(SYMBOL).slot(KEY)
    assert slot.phase is Phase.LOCKED
    assert slot.order is not None
    assert slot.order.filled == 3


def test_a_fill_after_the_end_still_finds_its_lot_and_keeps_the_target() -> None:
    book = book_of(intended(), marked(Signal.ACKED), marked(Signal.CANCEL), ended(0), filled(1, 4))

    lot = book.symbol(SYMBOL).slot(KEY).lot
    assert lot is not None
    assert (lot.quantity, lot.cost, lot.target) == (4, Decimal("11.992"), 300_000)


def test_what_joins_a_lot_takes_over_its_target() -> None:
    dust = LotSet(key=KEY, lot=Lot(quantity=1, cost=Decimal(3), target=300_100), reason="given")

    lot = book_of(dust, intended(), filled(1, 9)).symbol(SYMBOL).slot(KEY).lot

    assert lot is not None
    assert (lot.quantity, lot.target) == (10, 300_100)


def test_an_exit_that_the_venue_ended_blocks_its_slot_until_cleared() -> None:
    book = book_of(lot_at(-1, 10, "30"), intended("out", purpose=Purpose.EXIT), ended(0, "out", by_venue=True))
    assert book.symbol(SYMBOL).slot(KEY).phase is Phase.BLOCKED
    assert book.symbol(SYMBOL).slot(KEY).lot is not None

    book.apply(SlotCleared(key=KEY))

    assert book.symbol(SYMBOL).slot(KEY).phase is Phase.FREE
    assert book.apply(SlotCleared(key=KEY)) == ()


def test_an_exit_that_the_venue_ended_short_blocks_once_its_fills_are_there() -> None:
    book = book_of(lot_at(-1, 10, "30"), intended("out", purpose=Purpose.EXIT), ended(4, "out", by_venue=True))

    book.apply(filled(1, 4, "out", side=Side.SELL))

    slot = book.symbol(SYMBOL).slot(KEY)
    assert slot.phase is Phase.BLOCKED
    assert slot.lot is not None
    assert slot.lot.quantity == 6


def test_an_error_code_erases_no_lot() -> None:
    book = book_of(
        lot_at(-1, 10, "30"), intended("out", purpose=Purpose.EXIT), marked(Signal.CONFLICT, "out", order_id="")
    )

    slot = book.symbol(SYMBOL).slot(KEY)
    assert (slot.phase, book.symbol(SYMBOL).lot_steps()) == (Phase.BLOCKED, 10)


@pytest.mark.parametrize(
    "contradiction",
    [
        marked(Signal.REFUSED, order_id="other"),
        marked(Signal.SETTLED, order_id="other"),
        intended("second"),
        marked(Signal.ACKED, "nobody"),
        ended(3, "nobody"),
        filled(9, 1, "nobody"),
        filled(1, 3),
    ],
)
def test_a_record_that_contradicts_the_book_raises_and_changes_nothing(contradiction: Record) -> None:
    records = (intended(), marked(Signal.ACKED), filled(1, 3))
    book = book_of(*records)

    with pytest.raises((UnexpectedSignal, KeyError)):
        book.apply(contradiction)

    assert everything(book) == everything(book_of(*records))


def test_a_refusal_of_what_is_already_over_hides_no_missing_fill() -> None:
    book = book_of(intended(key=None), ended(7), marked(Signal.ABSENT))

    assert book.orders["in"].missing == 7


def test_a_stray_is_watched_and_its_slot_keeps_its_own_order() -> None:
    book = book_of(intended(), replace(intended("stray"), attach=False))

    slot = book.symbol(SYMBOL).slot(KEY)
    assert slot.order is not None
    assert slot.order.client_id == "in"
    assert [order.client_id for order in book.live_orders()] == ["in", "stray"]
    assert book.live_orders("BTCUSDT") == []


def test_orders_are_found_by_the_venues_id() -> None:
    book = book_of(intended(), marked(Signal.ACKED))

    assert book.client_id_of(SYMBOL, "v1") == "in"
    assert book.client_id_of("BTCUSDT", "v1") == ""


def test_an_order_that_traded_under_a_second_id_is_found_by_both_also_after_a_snapshot() -> None:
    odd = filled(1, 3)
    book = book_of(intended(), marked(Signal.ACKED), replace(odd, fill=replace(odd.fill, order_id="v2")))

    again = from_snapshot(to_snapshot(book))

    assert [again.client_id_of(SYMBOL, order_id) for order_id in ("v1", "v2", "v3")] == ["in", "in", ""]
    assert everything(again) == everything(book)


def test_a_foreign_sell_beyond_foreign_takes_the_highest_target_first_at_its_own_price_and_fee() -> None:
    book = book_of(lot_at(-3, 10, "29.94"), lot_at(-1, 10, "29.98"), ForeignSet(symbol=SYMBOL, quantity=4, reason="r"))

    changed = book.apply(filled(1, 16, "", side=Side.SELL, price=299_000))

    symbol = book.symbol(SYMBOL)
    assert changed == (replace(KEY, level=-1), replace(KEY, level=-3))
    assert [(key.level, lot.quantity) for key, lot in symbol.lots()] == [(-3, 8)]
    assert (symbol.foreign, symbol.expected_position()) == (0, 8)
    assert symbol.ledger.realised == Decimal("35.88") - Decimal("29.98") - Decimal("5.988")
    assert symbol.ledger.foreign_cash == Decimal("11.96")
    assert symbol.ledger.fees_in("USDT") == Decimal("0.00075")
    assert symbol.ledger.foreign_fees == (("USDT", Decimal("0.00025")),)


def test_a_foreign_buy_never_makes_a_lot() -> None:
    book = book_of(filled(1, 5, ""))

    assert (book.symbol(SYMBOL).foreign, book.symbol(SYMBOL).lot_steps()) == (5, 0)
    assert book.symbol(SYMBOL).ledger.cash == 0


def test_a_short_grid_loses_lots_to_a_foreign_buy_the_lowest_target_first() -> None:
    low = LotSet(key=KEY, lot=Lot(quantity=5, cost=Decimal(15), target=299_000), reason="given")
    high = LotSet(key=replace(KEY, level=4), lot=Lot(quantity=5, cost=Decimal(15), target=301_000), reason="given")
    book = book_of(high, low, side=GridSide.SHORT)

    book.apply(filled(1, 5, "", price=299_000))

    assert [key.level for key, _ in book.symbol(SYMBOL).lots()] == [4]
    assert book.symbol(SYMBOL).expected_position() == -5
    assert book.symbol(SYMBOL).ledger.realised == Decimal("0.05")


def test_an_exit_that_sold_more_than_its_lot_changes_foreign_by_the_rest() -> None:
    book = book_of(lot_at(-1, 4, "12"), intended("out", purpose=Purpose.EXIT), filled(1, 10, "out", side=Side.SELL))

    symbol = book.symbol(SYMBOL)
    assert (symbol.foreign, symbol.lot_steps(), symbol.ledger.round_trips) == (-6, 0, 1)
    assert symbol.ledger.realised == Decimal("11.992") - 12
    assert symbol.ledger.foreign_cash == Decimal("17.988")


def funding(amount: str, transaction: str = "9") -> FundingBooked:
    return FundingBooked(symbol=SYMBOL, transaction_id=transaction, amount=Decimal(amount), asset="USDT", venue_ms=1)


def test_funding_falls_on_lots_by_quantity_and_its_remainder_on_the_largest() -> None:
    book = book_of(lot_at(-1, 1, "3"), lot_at(-2, 2, "6"), lot_at(-3, 4, "12"), funding("-1"))

    shares = {key.level: lot.funding for key, lot in book.symbol(SYMBOL).lots()}
    assert shares == {-1: Decimal("-0.142857142857"), -2: Decimal("-0.285714285714"), -3: Decimal("-0.571428571429")}


def test_foreign_takes_its_share_of_funding_with_its_own_sign() -> None:
    short_stranger = book_of(lot_at(-1, 10, "30"), ForeignSet(symbol=SYMBOL, quantity=-5, reason="r"), funding("-1"))

    symbol = short_stranger.symbol(SYMBOL)
    assert (symbol.ledger.funding, symbol.ledger.foreign_cash) == (Decimal(-2), Decimal(1))


def test_a_funding_payment_is_booked_once() -> None:
    book = book_of(lot_at(-1, 10, "30"), funding("-1"), funding("-1"))

    assert book.symbol(SYMBOL).ledger.funding == -1


def test_funding_without_any_position_left_is_the_grids() -> None:
    assert book_of(funding("0.5")).symbol(SYMBOL).ledger.funding == Decimal("0.5")


def test_old_orders_are_forgotten_but_not_those_that_still_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "ORDERS_REMEMBERED", 20)
    book = book_of(intended("live", key=None), intended("short", key=None), ended(5, "short"))

    for number in range(40):
        book.apply(intended(f"o{number}", key=None))
        book.apply(
            OrderEnded(
                client_id=f"o{number}", symbol=SYMBOL, order_id=f"w{number}", status=OrderStatus.FILLED, filled=0
            )
        )

    assert "live" in book.orders
    assert "short" in book.orders


def test_every_change_of_holds_raises_the_halt_epoch_and_each_is_lifted_alone() -> None:
    account = Hold(cause=HoldCause.RISK, symbol="", reason="crash", since_ms=1)
    own = Hold(cause=HoldCause.OPERATOR, symbol=SYMBOL, reason="asked", since_ms=2)
    book = book_of(HoldPut(hold=account), HoldPut(hold=own))
    assert book.halt_epoch == 2
    assert book.holds.against(SYMBOL) == (account, own)
    assert book.holds.against("BTCUSDT") == (account,)

    book.apply(HoldLifted(cause=HoldCause.RISK, symbol=SYMBOL, reason="not this scope"))
    assert book.holds.find(HoldCause.RISK, "") == account

    book.apply(HoldLifted(cause=HoldCause.RISK, symbol="", reason="calm"))
    assert book.holds == HoldSet((own,))
    assert book.halt_epoch == 4


def test_the_first_hold_of_its_cause_and_scope_stays() -> None:
    first = Hold(cause=HoldCause.RISK, symbol="", reason="first", since_ms=1)

    held = HoldSet().with_hold(first).with_hold(replace(first, reason="second"))

    assert held.holds == (first,)


def test_a_valuation_counts_waiting_losses_beside_the_grids_profit() -> None:
    book = book_of(lot_at(-1, 10, "29.98"))
    lots = [lot for _, lot in book.symbol(SYMBOL).lots()]

    worth = value(book.symbol(SYMBOL).ledger, lots, Decimal(2900), 1, instrument())

    assert (worth.grid, worth.unrealised, worth.total) == (Decimal(0), Decimal("-0.98"), Decimal("-0.98"))
    assert (worth.lots, worth.quantity, worth.cost) == (1, 10, Decimal("29.98"))


def test_a_symbol_without_a_generation_refuses_to_answer() -> None:
    with pytest.raises(GridmeshError, match="no generation"):
        _ = Book().symbol(SYMBOL).generation
