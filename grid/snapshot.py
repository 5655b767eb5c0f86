"""The whole book as plain values and back, so that a journal may drop the records before it.

Complete: a book rebuilt from a snapshot and the records after it is the book that all the records give, late fills,
doubled fills and forgotten orders included.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from grid.account_book import AccountBook, IncomeTotal
from grid.account_records import BreakerSet, DayOpened, EquityBaseline, RateSet, SymbolJoined, SymbolLeft
from grid.book import Book
from grid.codec import Undecodable, decode, encode
from grid.holds import Hold, HoldSet
from grid.kind_records import OpeningSet, TriggerSet
from grid.ledger import Ledger, MutableTotals
from grid.records import GenerationStarted
from grid.slot import SlotState
from grid.stop import StopEntry
from grid.symbol_book import OrderEntry, SymbolBook

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _SymbolImage:
    """One symbol's book. Orders of tuples are the orders in which things came."""

    symbol: str
    generations: tuple[GenerationStarted, ...]
    slots: tuple[SlotState, ...]
    ledger: Ledger
    foreign: int
    income: tuple[str, ...]
    last_fill_ms: int
    totals: tuple[tuple[str, int], ...]
    trades_ms: int = 0
    forgotten_ms: int = 0
    stop: StopEntry | None = None
    trigger: TriggerSet | None = None
    opening: OpeningSet | None = None
    unnamed: tuple[tuple[str, int], ...] = ()
    present: int | None = None
    turns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _AccountImage:
    """The account's own part."""

    breakers: tuple[BreakerSet, ...] = ()
    day: DayOpened | None = None
    peak: Decimal | None = None
    baseline: EquityBaseline | None = None
    rates: tuple[RateSet, ...] = ()
    totals: tuple[IncomeTotal, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    income_ms: int = 0
    joined: tuple[SymbolJoined, ...] = ()
    left: tuple[SymbolLeft, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Image:
    """The book. `other_ids` are venue ids that no remembered order states itself: (symbol, venue's id, client id)."""

    version: int
    owner_epoch: int
    halt_epoch: int
    holds: tuple[Hold, ...]
    symbols: tuple[_SymbolImage, ...]
    orders: tuple[OrderEntry, ...]
    fills: tuple[tuple[str, str, str], ...]
    other_ids: tuple[tuple[str, str, str], ...]
    account: _AccountImage = _AccountImage()
    fill_times: tuple[int, ...] = ()
    """Venue times of `fills`, one each."""


def to_snapshot(book: Book) -> dict[str, Any]:
    """Return the book as JSON types; shares nothing with it."""
    stated = {(order.symbol, order.order_id): order.client_id for order in book.orders.values()}
    image = _Image(
        version=VERSION,
        owner_epoch=book.owner_epoch,
        halt_epoch=book.halt_epoch,
        holds=book.holds.holds,
        symbols=tuple(_symbol_image(symbol) for symbol in book.symbols.values()),
        orders=tuple(book.orders.values()),
        fills=book.fill_keys(),
        fill_times=book.fill_times(),
        other_ids=tuple((*key, owner) for key, owner in book.order_ids().items() if stated.get(key) != owner),
        account=_account_image(book.account),
    )
    body: dict[str, Any] = encode(image)
    return body


def from_snapshot(body: Mapping[str, Any]) -> Book:
    """Return the book of a snapshot; raises `Undecodable` where it is damaged or of a version unknown here."""
    if body.get("version") != VERSION:
        raise Undecodable(f"snapshot of version {body.get('version')}, known is {VERSION}")
    image = decode(_Image, body)
    book = Book()
    book.owner_epoch, book.halt_epoch = image.owner_epoch, image.halt_epoch
    book.holds = HoldSet(image.holds)
    book.symbols = {symbol.symbol: _symbol_book(symbol) for symbol in image.symbols}
    book.orders = OrderedDict((order.client_id, order) for order in image.orders)
    stated = {(o.symbol, o.order_id): o.client_id for o in image.orders if o.order_id}
    others = {(symbol, order_id): owner for symbol, order_id, owner in image.other_ids}
    times = image.fill_times or (0,) * len(image.fills)
    book.remember(zip(image.fills, times, strict=True), {**stated, **others}.items())
    book.account = _account_book(image.account)
    return book


def _symbol_image(book: SymbolBook) -> _SymbolImage:
    return _SymbolImage(
        symbol=book.symbol,
        generations=tuple(book.generations.values()),
        slots=tuple(book.slots.values()),
        ledger=book.ledger,
        foreign=book.foreign,
        income=tuple(book.income),
        last_fill_ms=book.last_fill_ms,
        trades_ms=book.trades_ms,
        forgotten_ms=book.forgotten_ms,
        unnamed=tuple(book.unnamed.items()),
        totals=tuple(book.totals.counts.items()),
        stop=book.stop,
        trigger=book.trigger,
        opening=book.opening,
        present=book.present,
        turns=book.turns,
    )


def _symbol_book(image: _SymbolImage) -> SymbolBook:
    return SymbolBook(
        symbol=image.symbol,
        generations={record.generation: record for record in image.generations},
        ladders={record.generation: record.ladder() for record in image.generations},
        slots={slot.key: slot for slot in image.slots},
        ledger=image.ledger,
        foreign=image.foreign,
        income=OrderedDict.fromkeys(image.income),
        last_fill_ms=image.last_fill_ms,
        trades_ms=image.trades_ms,
        forgotten_ms=image.forgotten_ms,
        unnamed=OrderedDict(image.unnamed),
        totals=MutableTotals(dict(image.totals)),
        stop=image.stop,
        trigger=image.trigger,
        opening=image.opening,
        present=image.present,
        turns=image.turns,
    )


def _account_image(book: AccountBook) -> _AccountImage:
    return _AccountImage(
        breakers=tuple(book.breakers.values()),
        day=book.day,
        peak=book.peak,
        baseline=book.baseline,
        rates=tuple(book.rates.values()),
        totals=tuple(IncomeTotal(kind=k, symbol=s, asset=a, amount=n) for (k, s, a), n in book.totals.items()),
        rows=tuple(book.rows),
        income_ms=book.income_ms,
        joined=tuple(one for one in book.roster.values() if isinstance(one, SymbolJoined)),
        left=tuple(one for one in book.roster.values() if isinstance(one, SymbolLeft)),
    )


def _account_book(image: _AccountImage) -> AccountBook:
    roster: list[SymbolJoined | SymbolLeft] = [*image.joined, *image.left]
    book = AccountBook(
        breakers={one.symbol: one for one in image.breakers},
        day=image.day,
        peak=image.peak,
        baseline=image.baseline,
        rates={one.asset: one for one in image.rates},
        income_ms=image.income_ms,
        roster={one.symbol: one for one in roster},
    )
    book.remember(image.rows, image.totals)
    return book
