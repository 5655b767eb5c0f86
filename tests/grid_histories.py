"""Random valid histories of one symbol: quotes, fills, holds, strangers, funding, and orders that end badly."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import strategies as st

from grid.book import Book
from grid.holds import HoldCause
from grid.kind_records import OpeningSet, TriggerSet
from grid.ladder import GridSide
from grid.lot import Lot
from grid.order import Fill, OrderStatus, Purpose, Side
from grid.records import (
    Counted,
    FillBooked,
    ForeignSet,
    FundingBooked,
    LotSet,
    OrderEnded,
    OrderIntended,
    OwnerRaised,
    Record,
    SlotCleared,
)
from grid.slot import Phase, SlotKey
from grid.symbol_book import OrderEntry
from tests.grid_world import SYMBOL, GridWorld


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens; `choice` picks the order or slot concerned, `size` how much."""

    kind: str
    choice: int
    size: int


KINDS = (
    ["quote"] * 6
    + ["fill"] * 6
    + ["foreign_buy", "foreign_sell", "funding", "hold", "lift", "reconcile", "short_end", "venue_end"]
    + ["clear", "late_fill", "lot_set", "foreign_set", "count", "owner", "flatten", "end_again", "bnb_fill"]
    + ["trigger", "opening"]
)
EVENTS = st.lists(
    st.builds(Event, kind=st.sampled_from(KINDS), choice=st.integers(0, 50), size=st.integers(-900, 900)), max_size=40
)
SIDES = st.sampled_from(GridSide)


class History(GridWorld):
    """A world to which the events happen."""

    def happen(self, event: Event) -> None:
        getattr(self, f"on_{event.kind}")(event.choice, event.size)

    def on_quote(self, choice: int, size: int) -> None:
        last = self.window.view.price * self.sign if self.window.view is not None else 300_000
        self.quote(max(250_000, min(350_000, last + size)), wait_ms=choice * 300)

    def on_fill(self, choice: int, size: int, fee_asset: str = "USDT") -> None:
        order = self._pick(choice)
        if order is not None and order.quantity > order.booked:
            self._book(order, 1 + abs(size) % (order.quantity - order.booked), size, fee_asset)

    def on_bnb_fill(self, choice: int, size: int) -> None:
        self.on_fill(choice, size, "BNB")

    def on_late_fill(self, choice: int, size: int) -> None:
        over = [o for o in self.book.orders.values() if o.missing]
        if over:
            self._book(over[choice % len(over)], 1, size, "USDT")

    def on_short_end(self, choice: int, size: int) -> None:
        order = self._pick(choice)
        if order is not None and order.key is not None and order.quantity > order.booked:
            filled = order.booked + 1 + abs(size) % (order.quantity - order.booked)
            self._finish(order, OrderStatus.CANCELED, filled, by_venue=order.purpose is Purpose.EXIT and size > 0)

    def on_venue_end(self, choice: int, size: int) -> None:
        exits = [o for o in self.book.live_orders(SYMBOL) if o.purpose is Purpose.EXIT]
        if exits:
            order = exits[choice % len(exits)]
            self._finish(order, OrderStatus.EXPIRED, order.booked, by_venue=True)

    def on_end_again(self, choice: int, size: int) -> None:
        ended = [o for o in self.book.orders.values() if o.status is not None]
        if ended:
            order = ended[choice % len(ended)]
            assert order.status is not None
            self._finish(order, order.status, order.booked, by_venue=False)

    def on_clear(self, choice: int, size: int) -> None:
        for key, slot in list(self.book.symbol(SYMBOL).slots.items()):
            if slot.phase is Phase.BLOCKED:
                self._tell(self.record(SlotCleared(key=key)))

    def on_foreign_buy(self, choice: int, size: int) -> None:
        self._foreign(Side.BUY, 1 + abs(size) % 37, choice)

    def on_foreign_sell(self, choice: int, size: int) -> None:
        self._foreign(Side.SELL, 1 + abs(size) % 37, choice)

    def on_flatten(self, choice: int, size: int) -> None:
        """A slice of the symbol's own: it closes lots from the top."""
        steps = self.book.symbol(SYMBOL).lot_steps()
        if not steps:
            return
        self._sequence += 1
        client_id, side = f"flat{self._sequence}", self.book.symbol(SYMBOL).generation.side.entry_side.other
        intended = OrderIntended(
            client_id=client_id,
            symbol=SYMBOL,
            key=None,
            purpose=Purpose.FLATTEN,
            side=side,
            price=300_000,
            quantity=1 + abs(size) % steps,
            target=0,
            at_ms=self.now_ms,
        )
        self.record(intended)
        self._book(self.book.orders[client_id], intended.quantity, size, "USDT")

    def on_funding(self, choice: int, size: int) -> None:
        amount = Decimal(size) / 1_000_000
        self.record(
            FundingBooked(symbol=SYMBOL, transaction_id=str(choice), amount=amount, asset="USDT", venue_ms=self.now_ms)
        )

    def on_hold(self, choice: int, size: int) -> None:
        self.hold(list(HoldCause)[choice % len(HoldCause)])

    def on_lift(self, choice: int, size: int) -> None:
        self.lift(list(HoldCause)[choice % len(HoldCause)])

    def on_reconcile(self, choice: int, size: int) -> None:
        self.reconcile()

    def on_lot_set(self, choice: int, size: int) -> None:
        key = SlotKey(symbol=SYMBOL, generation=1, level=choice - 25)
        lot = Lot(quantity=1 + abs(size) % 20, cost=Decimal(abs(size) + 1) / 8, target=300_000) if size % 3 else None
        self._tell(self.record(LotSet(key=key, lot=lot, reason="asked")))

    def on_foreign_set(self, choice: int, size: int) -> None:
        self.record(ForeignSet(symbol=SYMBOL, quantity=size % 21 - 10, reason="read"))

    def on_trigger(self, choice: int, size: int) -> None:
        price, way = Decimal(3000 + choice), size % 2 == 0
        self.record(TriggerSet(symbol=SYMBOL, price=price, rises=way, is_fired=size % 3 == 0, at_ms=self.now_ms))

    def on_opening(self, choice: int, size: int) -> None:
        levels = tuple(range(choice % 5, choice % 5 + abs(size) % 4))
        planned = size % 2 == 0
        self.record(
            OpeningSet(symbol=SYMBOL, generation=1, is_planned=planned, levels=levels, limit=choice, at_ms=self.now_ms)
        )

    def on_count(self, choice: int, size: int) -> None:
        self.record(Counted(symbol=SYMBOL, what=f"thing{choice % 3}"))

    def on_owner(self, choice: int, size: int) -> None:
        self.record(OwnerRaised(owner_epoch=self.book.owner_epoch + 1))

    def _pick(self, choice: int) -> OrderEntry | None:
        live = self.book.live_orders(SYMBOL)
        return live[choice % len(live)] if live else None

    def _book(self, order: OrderEntry, steps: int, wobble: int, fee_asset: str) -> None:
        self._sequence += 1
        # Any price: what a venue really paid need not be the order's.
        fill = self._fill_of(order.order_id or "x", order.side, order.price + wobble % 7, steps, fee_asset)
        changed = self.record(FillBooked(fill=fill, client_id=order.client_id))
        if not order.is_over and order.booked == order.quantity:
            changed = (*changed, *self._end(order, OrderStatus.FILLED))
        self._tell(changed)

    def _foreign(self, side: Side, steps: int, wobble: int) -> None:
        self._sequence += 1
        fill = self._fill_of("hand", side, 300_000 + 13 * wobble, steps, "USDT")
        self._tell(self.record(FillBooked(fill=fill, client_id="")))

    def _fill_of(self, order_id: str, side: Side, price: int, steps: int, fee_asset: str) -> Fill:
        return Fill(
            symbol=SYMBOL,
            order_id=order_id,
            trade_id=str(self._sequence),
            client_id="",
            side=side,
            price=price,
            quantity=steps,
            fee=self.instrument.notional(price, steps) * Decimal("0.0002"),
            fee_asset=fee_asset,
            is_maker=True,
            venue_ms=self.now_ms,
        )

    def _finish(self, order: OrderEntry, status: OrderStatus, filled: int, *, by_venue: bool) -> None:
        self._tell(
            self.record(
                OrderEnded(
                    client_id=order.client_id,
                    symbol=SYMBOL,
                    order_id=order.order_id,
                    status=status,
                    filled=filled,
                    by_venue=by_venue,
                )
            )
        )


def run(events: list[Event], side: GridSide = GridSide.LONG) -> History:
    """Let the events happen to a new world, after a first quote."""
    history = History(side)
    history.quote(300_000)
    for event in events:
        history.happen(event)
    return history


def replayed(records: list[Record]) -> Book:
    book = Book()
    book.replay(records)
    return book


def everything(book: Book) -> dict[str, object]:
    """All that a book holds, private memory and orders of insertion included."""
    return {
        "symbols": list(book.symbols.items()),
        "slots": [list(symbol.slots.items()) for symbol in book.symbols.values()],
        "income": [list(symbol.income) for symbol in book.symbols.values()],
        "orders": list(book.orders.items()),
        "holds": book.holds,
        "epochs": (book.halt_epoch, book.owner_epoch),
        "fills": book.fill_keys(),
        "ids": book.order_ids(),
        "account": book.account,
    }
