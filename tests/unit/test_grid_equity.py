"""The account's own records, what they add up to, and the equity tie."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from grid.account_book import AccountBook
from grid.account_records import BreakerSet, DayOpened, EquityBaseline, IncomeBooked, PeakSet, RateSet
from grid.book import Book
from grid.equity import fees_paid, index_of, moved, other_fees, own_flow, total_profit
from grid.lot import Lot
from grid.order import Fill, Purpose, Side
from grid.records import FillBooked, ForeignSet, LotSet, OrderIntended, Record
from grid.slot import SlotKey
from grid.snapshot import from_snapshot, to_snapshot
from tests.grid_world import SYMBOL, generation, instrument

INSTRUMENT = instrument()


def key(level: int) -> SlotKey:
    return SlotKey(symbol=SYMBOL, generation=1, level=level)


def intended(client_id: str, purpose: Purpose, level: int | None, closes: tuple[SlotKey, ...] = ()) -> OrderIntended:
    return OrderIntended(
        client_id=client_id,
        symbol=SYMBOL,
        key=None if level is None else key(level),
        purpose=purpose,
        side=Side.SELL if purpose.closing else Side.BUY,
        price=300_000,
        quantity=100,
        target=300_200,
        at_ms=1,
        closes=closes,
    )


def filled(client_id: str, trade: int, side: Side, price: int, quantity: int, fee: str, asset: str = "USDT") -> Record:
    fill = Fill(
        symbol=SYMBOL,
        order_id=f"v{client_id}",
        trade_id=str(trade),
        client_id=client_id,
        side=side,
        price=price,
        quantity=quantity,
        fee=Decimal(fee),
        fee_asset=asset,
        is_maker=True,
        venue_ms=trade,
    )
    return FillBooked(fill=fill, client_id=client_id)


def book_of(*records: Record) -> Book:
    book = Book()
    book.replay((generation(), *records))
    return book


def income(kind: str, number: str, amount: str, *, symbol: str = "", asset: str = "USDT") -> IncomeBooked:
    return IncomeBooked(
        kind=kind, transaction_id=number, symbol=symbol, asset=asset, amount=Decimal(amount), venue_ms=1
    )


def bought(fee: str = "0.006", asset: str = "USDT") -> tuple[Record, ...]:
    return intended("in", Purpose.ENTRY, -1), filled("in", 1, Side.BUY, 300_000, 10, fee, asset)


def test_the_flow_is_cash_minus_fees_plus_the_position_at_mark() -> None:
    book = book_of(*bought()).symbol(SYMBOL)

    assert own_flow(book, INSTRUMENT, Decimal(3010)) == Decimal("-30") - Decimal("0.006") + Decimal("30.10")


def test_a_stranger_that_trades_changes_no_tie() -> None:
    before, after = book_of(*bought()), book_of(*bought(), filled("", 9, Side.BUY, 301_000, 5, "0.003"))

    change = own_flow(after.symbol(SYMBOL), INSTRUMENT, Decimal(3010)) - own_flow(
        before.symbol(SYMBOL), INSTRUMENT, Decimal(3010)
    )

    assert change == Decimal("-0.003")
    assert fees_paid([after.symbol(SYMBOL)], "USDT") == Decimal("0.009")


def test_lots_that_were_foreign_before_move_no_money() -> None:
    before = book_of(ForeignSet(symbol=SYMBOL, quantity=10, reason="read")).symbol(SYMBOL)
    lot = Lot(quantity=10, cost=Decimal(30), target=300_200)
    after = book_of(
        ForeignSet(symbol=SYMBOL, quantity=0, reason="adopt"), LotSet(key=key(-1), lot=lot, reason="adopt")
    ).symbol(SYMBOL)

    assert own_flow(before, INSTRUMENT, Decimal(2990)) == own_flow(after, INSTRUMENT, Decimal(2990))


def test_a_row_of_income_counts_once_by_kind_and_id() -> None:
    account = AccountBook()
    for row in (income("TRANSFER", "1", "50"), income("TRANSFER", "1", "50"), income("FUNDING_FEE", "1", "-1")):
        account.apply(row)

    assert moved(account, {SYMBOL}, "USDT") == Decimal(49)
    assert account.income("TRANSFER", "USDT") == Decimal(50)


def test_what_our_own_book_holds_is_not_moved_twice() -> None:
    account = AccountBook()
    for number, kind in enumerate(("REALIZED_PNL", "COMMISSION", "FUNDING_FEE", "INSURANCE_CLEAR")):
        account.apply(income(kind, str(number), "1", symbol=SYMBOL))
    account.apply(income("REALIZED_PNL", "8", "10", symbol="BTCUSDT"))
    account.apply(income("TRANSFER", "9", "100", asset="BNB"))

    assert moved(account, {SYMBOL}, "USDT") == Decimal(11)


def test_fees_in_another_coin_are_valued_at_the_journalled_rate_and_named_without_one() -> None:
    book = book_of(*bought("0.00001", "BNB"))
    symbol = book.symbol(SYMBOL)
    assert other_fees(symbol, "USDT", book.account).unvalued == (("BNB", Decimal("0.00001")),)
    unvalued = total_profit(symbol, INSTRUMENT, Decimal(3000), book.account)

    book.apply(RateSet(asset="BNB", rate=Decimal(600), at_ms=1))

    assert other_fees(symbol, "USDT", book.account).worth == Decimal("0.006")
    assert unvalued == 0
    assert total_profit(symbol, INSTRUMENT, Decimal(3000), book.account) == Decimal("-0.006")


def test_profit_needs_a_mark_only_where_lots_are_held() -> None:
    assert total_profit(book_of().symbol(SYMBOL), INSTRUMENT, None, AccountBook()) == 0
    assert total_profit(book_of(*bought()).symbol(SYMBOL), INSTRUMENT, None, AccountBook()) is None


def test_the_index_rises_when_prices_are_good_for_the_grids() -> None:
    anchors = {"A": Decimal(100), "B": Decimal(10)}
    signs = {"A": 1, "B": -1}

    assert index_of({"A": Decimal(100), "B": Decimal(10)}, anchors, signs) == 1
    assert index_of({"A": Decimal(120), "B": Decimal(8)}, anchors, signs) == Decimal("1.225")
    assert index_of({"A": Decimal(120)}, anchors, signs) is None
    assert index_of({}, {}, {}) is None


def test_a_dust_order_sells_the_lots_it_was_made_for() -> None:
    records: list[Record] = []
    for number, level in enumerate((-1, -2, -3)):
        lot = Lot(quantity=4 + number, cost=Decimal(12), target=300_200 - 200 * number)
        records.append(LotSet(key=key(level), lot=lot, reason="test"))
    dust = intended("d", Purpose.DUST, None, closes=(key(-2), key(-3)))

    book = book_of(*records, dust, filled("d", 1, Side.SELL, 300_300, 8, "0"))

    left = {slot.level: lot.quantity for slot, lot in book.symbol(SYMBOL).lots()}
    assert left == {-1: 4, -3: 3}


def test_a_dust_order_that_outlives_its_lots_takes_the_highest_target_next() -> None:
    lots = [
        LotSet(key=key(n), lot=Lot(quantity=5, cost=Decimal(15), target=t), reason="") for n, t in ((-1, 7), (-2, 9))
    ]
    dust = intended("d", Purpose.DUST, None, closes=(key(-1),))

    book = book_of(*lots, dust, filled("d", 1, Side.SELL, 300_300, 6, "0"))

    assert {slot.level: lot.quantity for slot, lot in book.symbol(SYMBOL).lots()} == {-2: 4}


ACCOUNT_RECORDS = (
    BreakerSet(symbol="", base=Decimal(1), peak=Decimal(2), kind="drawdown", reason="fell", at_ms=4),
    DayOpened(day=3, opening=Decimal(9)),
    PeakSet(equity=Decimal(11)),
    EquityBaseline(amount=Decimal(8), fees=Decimal(1), venue_ms=3),
    RateSet(asset="BNB", rate=Decimal(600), at_ms=1),
    income("TRANSFER", "1", "5"),
)


@pytest.mark.parametrize("cut", range(len(ACCOUNT_RECORDS) + 1))
def test_a_snapshot_keeps_the_account(cut: int) -> None:
    early = book_of(*ACCOUNT_RECORDS[:cut])

    book = from_snapshot(json.loads(json.dumps(to_snapshot(early))))
    book.replay(ACCOUNT_RECORDS[cut:])
    book.apply(income("TRANSFER", "1", "5"))

    assert book.account == book_of(*ACCOUNT_RECORDS, income("TRANSFER", "1", "5")).account
    assert book.account.income("TRANSFER", "USDT") == 5


def test_a_snapshot_of_an_older_version_has_an_empty_account() -> None:
    body = to_snapshot(book_of(*ACCOUNT_RECORDS))
    del body["account"]

    assert from_snapshot(body).account == AccountBook()
