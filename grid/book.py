"""The book: the sum of the journal's records, and the only truth about slots, lots and money.

It changes by `apply` alone, live and on restart alike, so what a restart rebuilds is what was there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from grid.account_book import AccountBook
from grid.account_records import AccountRecord
from grid.booking import book_foreign, book_funding, book_own, set_lot
from grid.errors import UnexpectedSignal
from grid.holds import HoldSet
from grid.kind_records import OpeningSet, SideTurned, TriggerSet
from grid.order import Purpose
from grid.records import (
    Counted,
    FillBooked,
    ForeignNamed,
    ForeignSet,
    FundingBooked,
    GenerationStarted,
    HoldLifted,
    HoldPut,
    LotSet,
    OrderEnded,
    OrderIntended,
    OrderMarked,
    OwnerRaised,
    Record,
    SlotCleared,
    StopIntended,
    StopMarked,
    TradesCompleted,
)
from grid.slot import Phase, Signal, SlotKey, SlotOrder, SlotState
from grid.stop import StopEntry, StopPhase
from grid.symbol_book import OrderEntry, SymbolBook

FILLS_REMEMBERED = 50_000
ORDERS_REMEMBERED = 20_000
UNNAMED_REMEMBERED = 200


class Book:
    """All symbols of one account."""

    def __init__(self) -> None:
        self.symbols: dict[str, SymbolBook] = {}
        self.orders: OrderedDict[str, OrderEntry] = OrderedDict()
        self.holds = HoldSet()
        self.account = AccountBook()
        self.halt_epoch = 0
        self.owner_epoch = 0
        self._live: dict[str, dict[str, OrderEntry]] = {}
        self._ids: dict[tuple[str, str], str] = {}
        self._fills: OrderedDict[tuple[str, str, str], int] = OrderedDict()

    def symbol(self, symbol: str) -> SymbolBook:
        """Return the symbol's book, made empty where it is new."""
        found = self.symbols.get(symbol)
        if found is None:
            found = self.symbols[symbol] = SymbolBook(symbol)
        return found

    def has_fill(self, key: tuple[str, str, str]) -> bool:
        """Whether the fill is booked already."""
        return key in self._fills

    def client_id_of(self, symbol: str, order_id: str) -> str:
        """Return the client id of an order of ours by the venue's id; empty where there is none."""
        return self._ids.get((symbol, order_id), "")

    def fill_keys(self) -> tuple[tuple[str, str, str], ...]:
        """Return the keys of the fills that are remembered, oldest first."""
        return tuple(self._fills)

    def fill_times(self) -> tuple[int, ...]:
        """Return the venue times of those fills, in the same order."""
        return tuple(self._fills.values())

    def order_ids(self) -> dict[tuple[str, str], str]:
        """Return client ids by (symbol, the venue's id)."""
        return dict(self._ids)

    def remember(
        self,
        fills: Iterable[tuple[tuple[str, str, str], int]],
        order_ids: Iterable[tuple[tuple[str, str], str]],
    ) -> None:
        """Put back the keys and times of fills, and what `order_ids` returned: for a book rebuilt from a snapshot.

        `orders` are there already.
        """
        for entry in self.orders.values():
            self._sort_in(entry)
        self._fills.update(fills)
        self._ids.update(order_ids)

    def live_orders(self, symbol: str | None = None) -> list[OrderEntry]:
        """Return the orders that are live or possibly live."""
        if symbol is not None:
            return list(self._live.get(symbol, {}).values())
        return [order for live in self._live.values() for order in live.values()]

    def replay(self, records: Iterable[Record]) -> None:
        """Apply many records, as on a restart."""
        for record in records:
            self.apply(record)

    def apply(self, record: Record) -> tuple[SlotKey, ...]:
        """Change the book by one record; return the slots that changed.

        A record that contradicts the book raises (`UnexpectedSignal`, or `KeyError` for an order that it does not
        know) and changes nothing: the caller reconciles, and must not journal it.
        """
        match record:
            case OrderIntended():
                return self._intend(record)
            case OrderMarked():
                return self._mark(record)
            case OrderEnded():
                return self._end(record)
            case FillBooked():
                return self._fill(record)
            case SlotCleared():
                slot = self._slot(record.key)
                return self._put(slot.after(Signal.CLEARED)) if slot.phase is Phase.BLOCKED else ()
            case LotSet():
                set_lot(self.symbol(record.key.symbol), record.key, record.lot)
                return (record.key,)
            case FundingBooked():
                return self._funding(record)
            case _:
                self._apply_standing(record)
                return ()

    def _apply_standing(self, record: Record) -> None:
        match record:
            case GenerationStarted():
                symbol = self.symbol(record.symbol)
                symbol.generations[record.generation] = record
                symbol.ladders[record.generation] = record.ladder()
                symbol.present = None
            case SideTurned():
                self._turn(record)
            case OwnerRaised():
                self.owner_epoch = record.owner_epoch
            case HoldPut():
                self.holds, self.halt_epoch = self.holds.with_hold(record.hold), self.halt_epoch + 1
            case HoldLifted():
                self.holds, self.halt_epoch = self.holds.without(record.cause, record.symbol), self.halt_epoch + 1
            case ForeignSet() | ForeignNamed() | TriggerSet() | OpeningSet():
                self._set(record)
            case TradesCompleted():
                book = self.symbol(record.symbol)
                book.trades_ms = max(book.trades_ms, record.venue_ms)
                if record.is_exact:
                    book.forgotten_ms = max(book.forgotten_ms, record.venue_ms)
            case StopIntended() | StopMarked():
                self._stop(record)
            case Counted():
                self.symbol(record.symbol).totals.add(record.what)
            case _ if isinstance(record, AccountRecord):
                self.account.apply(record)
            case _:
                raise TypeError(f"no rule for {type(record).__name__}")

    def _set(self, record: ForeignSet | ForeignNamed | TriggerSet | OpeningSet) -> None:
        symbol = self.symbol(record.symbol)
        match record:
            case ForeignSet():
                symbol.foreign = record.quantity
            case ForeignNamed():
                symbol.unnamed.pop(record.order_id, None)
            case TriggerSet():
                symbol.trigger = record
            case OpeningSet():
                symbol.opening = record

    def _turn(self, record: SideTurned) -> None:
        symbol = self.symbol(record.symbol)
        ladder = symbol.ladders.get(record.generation)
        if ladder is None:
            raise UnexpectedSignal(f"{record.symbol}: no generation {record.generation} to turn to")
        if self.live_orders(record.symbol):
            raise UnexpectedSignal(f"{record.symbol}: turns around while orders may live")
        if symbol.lot_steps() and symbol.held_sign != ladder.side.sign:
            raise UnexpectedSignal(f"{record.symbol}: turns away from lots that are held")
        symbol.present, symbol.turns = record.generation, symbol.turns + 1

    def _stop(self, record: StopIntended | StopMarked) -> None:
        symbol = self.symbol(record.symbol)
        if isinstance(record, StopIntended):
            if symbol.stop is not None:
                raise UnexpectedSignal(f"{record.symbol}: a second stop beside {symbol.stop.client_id}")
            symbol.stop = StopEntry(
                client_id=record.client_id, side=record.side, trigger=record.trigger, at_ms=record.at_ms
            )
            return
        if symbol.stop is None or symbol.stop.client_id != record.client_id:
            raise UnexpectedSignal(f"{record.symbol}: {record.signal.value} for stop {record.client_id}")
        stop = symbol.stop.after(record.signal, algo_id=record.algo_id, order_id=record.order_id)
        if record.order_id:
            # Trades tell the venue's id alone: by this one they are known to be ours.
            self._ids[(record.symbol, record.order_id)] = record.client_id
        symbol.stop = stop if stop.phase is not StopPhase.GONE else None

    def _slot(self, key: SlotKey) -> SlotState:
        return self.symbol(key.symbol).slot(key)

    def _put(self, slot: SlotState) -> tuple[SlotKey, ...]:
        self.symbol(slot.key.symbol).slots[slot.key] = slot
        return (slot.key,)

    def _intend(self, record: OrderIntended) -> tuple[SlotKey, ...]:
        entry = OrderEntry(
            client_id=record.client_id,
            symbol=record.symbol,
            key=record.key,
            purpose=record.purpose,
            side=record.side,
            price=record.price,
            quantity=record.quantity,
            target=record.target,
            at_ms=record.at_ms,
            is_attached=record.attach,
            closes=record.closes,
        )
        known = self.orders.get(record.client_id)
        if known is not None:
            entry.booked, entry.order_id = known.booked, known.order_id
        if record.key is None or not record.attach:
            self._keep(entry)
            return ()
        order = SlotOrder(
            client_id=record.client_id,
            purpose=record.purpose,
            side=record.side,
            price=record.price,
            quantity=record.quantity,
            target=record.target,
            placed_ms=record.at_ms,
            filled=entry.booked,
        )
        slot = self._slot(record.key).after(Signal.PLACE, order)
        self._keep(entry)
        return self._put(slot)

    def _mark(self, record: OrderMarked) -> tuple[SlotKey, ...]:
        entry = self.orders[record.client_id]
        changed = self._signal(entry, record.signal, record.order_id)
        self._name(entry, record.order_id)
        if record.signal in (Signal.REFUSED, Signal.NOT_SENT, Signal.ABSENT, Signal.CONFLICT) and not entry.is_over:
            entry.is_over, entry.final = True, entry.booked
            self._sort_in(entry)
        return changed

    def _end(self, record: OrderEnded) -> tuple[SlotKey, ...]:
        entry = self.orders[record.client_id]
        # An end told twice, the second time by an older reading, takes nothing back.
        final, by_venue = max(record.filled, entry.final or 0), record.by_venue or entry.by_venue
        whole = Signal.CONFLICT if by_venue else Signal.DONE
        changed = self._signal(entry, Signal.DONE_SHORT if final > entry.booked else whole, record.order_id)
        entry.status, entry.final, entry.by_venue, entry.is_over = record.status, final, by_venue, True
        self._sort_in(entry)
        self._name(entry, record.order_id)
        return changed

    def _keep(self, entry: OrderEntry) -> None:
        self.orders[entry.client_id] = entry
        self._sort_in(entry)
        self._forget_old_orders()

    def _sort_in(self, entry: OrderEntry) -> None:
        live = self._live.setdefault(entry.symbol, {})
        if entry.is_over:
            live.pop(entry.client_id, None)
        else:
            live[entry.client_id] = entry

    def _name(self, entry: OrderEntry, order_id: str) -> None:
        if order_id:
            entry.order_id = order_id
            self._ids[(entry.symbol, order_id)] = entry.client_id

    def _signal(self, entry: OrderEntry, signal: Signal, order_id: str = "") -> tuple[SlotKey, ...]:
        if entry.key is None:
            return ()
        slot = self._slot(entry.key)
        if slot.order is None or slot.order.client_id != entry.client_id:
            return ()
        order = replace(slot.order, order_id=order_id or entry.order_id, filled=entry.booked)
        return self._put(slot.after(signal, order))

    def _fill(self, record: FillBooked) -> tuple[SlotKey, ...]:
        fill = record.fill
        if fill.key in self._fills:
            raise UnexpectedSignal(f"fill {fill.key} is booked twice")
        entry = self.orders[record.client_id] if record.client_id else None
        self._fills[fill.key] = fill.venue_ms
        if len(self._fills) > FILLS_REMEMBERED:
            (name, *_), forgotten_ms = self._fills.popitem(last=False)
            self.symbol(name).forgotten_ms = max(self.symbol(name).forgotten_ms, forgotten_ms)
        symbol = self.symbol(fill.symbol)
        symbol.last_fill_ms = max(symbol.last_fill_ms, fill.venue_ms)
        if entry is None:
            if not fill.client_id:
                symbol.unnamed[fill.order_id] = fill.venue_ms
                if len(symbol.unnamed) > UNNAMED_REMEMBERED:
                    symbol.unnamed.popitem(last=False)
            return book_foreign(symbol, fill)
        entry.booked += fill.quantity
        entry.order_id = entry.order_id or fill.order_id
        self._ids[(entry.symbol, fill.order_id)] = entry.client_id
        changed = book_own(symbol, entry, fill)
        if entry.purpose is Purpose.OPEN and entry.key is not None and symbol.opening is not None:
            # With the fill itself: a crash between the two could buy the level a second time.
            symbol.opening = symbol.opening.without(entry.key.level)
        # A dict, not a set: the order must be the same in every process.
        return tuple(dict.fromkeys((*changed, *self._fill_signal(entry))))

    def _fill_signal(self, entry: OrderEntry) -> tuple[SlotKey, ...]:
        if not entry.is_over:
            return self._signal(entry, Signal.FILL)
        if entry.key is None or self._slot(entry.key).phase is not Phase.SETTLING:
            return ()
        if entry.missing:
            return self._signal(entry, Signal.FILL)
        changed = self._signal(entry, Signal.SETTLED)
        slot = self._slot(entry.key)
        return self._put(slot.after(Signal.CONFLICT)) if entry.by_venue and slot.lot is not None else changed

    def _funding(self, record: FundingBooked) -> tuple[SlotKey, ...]:
        symbol = self.symbol(record.symbol)
        if record.transaction_id in symbol.income:
            return ()
        symbol.income[record.transaction_id] = None
        if len(symbol.income) > FILLS_REMEMBERED:
            symbol.income.popitem(last=False)
        return book_funding(symbol, record)

    def _forget_old_orders(self) -> None:
        if len(self.orders) <= ORDERS_REMEMBERED:
            return
        for client_id, entry in list(islice(self.orders.items(), ORDERS_REMEMBERED // 10)):
            if entry.is_over and not entry.missing:
                del self.orders[client_id]
                self._ids.pop((entry.symbol, entry.order_id), None)
