"""A small world around the grid's own parts: one symbol, its window, slots and book, and a venue that obeys at once.

The venue acknowledges what it is asked, cancels what it is told, and fills what a test names. Words to slots and to the
window pass through `post`, which a test may let lose, double or hold back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from grid.book import Book
from grid.client_id import ClientId
from grid.holds import Hold, HoldCause
from grid.instrument import Instrument
from grid.intent import CancelIntent, PlaceIntent, Standing, Told
from grid.ladder import GridSide, Ladder, Spacing
from grid.order import Fill, OrderStatus, Purpose, TimeInForce
from grid.policy import GridPolicy
from grid.reasons import Reason
from grid.records import (
    FillBooked,
    GenerationStarted,
    HoldLifted,
    HoldPut,
    OrderEnded,
    OrderIntended,
    OrderMarked,
    Record,
)
from grid.slot import Phase, Signal, SlotKey
from grid.slot_group import Requests, SlotGroup
from grid.symbol_book import OrderEntry
from grid.window import Window, WindowChange

SYMBOL = "ETHUSDT"
MAKER_FEE = Decimal("0.0002")

Post = Callable[[Told | WindowChange], Iterable[Told | WindowChange]]


def instrument(**changes: object) -> Instrument:
    """ETHUSDT as in the worked example."""
    plain = Instrument(
        symbol=SYMBOL,
        base="ETH",
        quote="USDT",
        tick=Decimal("0.01"),
        step=Decimal("0.001"),
        price_min=1,
        price_max=100_000_000,
        quantity_min=1,
        quantity_max=10_000_000,
        notional_min=Decimal(20),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def policy(**changes: object) -> GridPolicy:
    """The worked example's policy."""
    plain = GridPolicy(
        symbol=SYMBOL, amount=Decimal(30), buy_window=3, sell_window=3, max_lots=100, maker_fee=MAKER_FEE
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def generation(
    side: GridSide = GridSide.LONG, *, anchor: int = 300_000, interval: int = 200, number: int = 1
) -> GenerationStarted:
    return GenerationStarted(
        symbol=SYMBOL,
        generation=number,
        side=side,
        spacing=Spacing.ARITHMETIC,
        anchor=anchor,
        interval=interval,
        ratio=Decimal(1),
        tick=Decimal("0.01"),
        step=Decimal("0.001"),
    )


def ladder(side: GridSide = GridSide.LONG, *, anchor: int = 300_000, interval: int = 200) -> Ladder:
    return generation(side, anchor=anchor, interval=interval).ladder()


def deliver(word: Told | WindowChange) -> list[Told | WindowChange]:
    """Pass every word on, once."""
    return [word]


@dataclass(frozen=True, slots=True)
class Resting:
    """An order as people read it: price in ticks, quantity in steps."""

    price: int
    quantity: int


class GridWorld:
    """One symbol under one group of slots that serves every level."""

    def __init__(
        self,
        side: GridSide = GridSide.LONG,
        *,
        anchor: int = 300_000,
        rules: GridPolicy | None = None,
        venue: Instrument | None = None,
        post: Post = deliver,
        records: Iterable[Record] = (),
    ) -> None:
        self.policy, self.instrument, self.post = rules or policy(), venue or instrument(), post
        self.book, self.records, self.now_ms = Book(), list(records), 1_000_000
        self.book.replay(self.records)
        if not self.records:
            self.record(generation(side, anchor=anchor))
        self.restart_slots()
        self.restart_feed()
        self.intents: list[PlaceIntent | CancelIntent] = []
        self._sequence = len(self.records)

    @property
    def sign(self) -> int:
        return self.book.symbol(SYMBOL).sign

    def restart_feed(self) -> None:
        self.window = Window(self.book.symbol(SYMBOL).ladder, self.policy)

    def restart_slots(self) -> None:
        ladder_now = self.book.symbol(SYMBOL).ladder
        self.group = SlotGroup(
            ladder=ladder_now,
            policy=self.policy,
            instrument=self.instrument,
            remainders=frozenset({0}),
            modulus=1,
        )

    def record(self, record: Record) -> tuple[SlotKey, ...]:
        changed = self.book.apply(record)
        self.records.append(record)
        return changed

    def quote(self, price: int, wait_ms: int = 6_000) -> None:
        """One quote of the reference price in plain ticks."""
        self.now_ms += wait_ms
        change = self.window.on_price(self.sign * price, self.now_ms)
        if change.levels:
            self._say(change)

    def reconcile(self, wait_ms: int = 6_000) -> None:
        """What happens once every reconcile period: price and book are pulled, everything is compared."""
        self.now_ms += wait_ms
        if self.window.view is not None:
            reach = tuple(self.window.levels_in_reach())
            self._carry_out(self.group.on_window(WindowChange(view=self.window.view, entered=reach), self.now_ms))
        for key in list(self.book.symbol(SYMBOL).slots):
            self._carry_out(self.group.on_told(self.told(key), self.now_ms))
        self._carry_out(self.group.on_time(self.now_ms, everything=True))
        self.confirm_price()

    def confirm_price(self) -> None:
        """The feed asks the venue in a quiet market, and hears its last price again."""
        if self.window.view is not None:
            self.quote(self.sign * self.window.view.price, wait_ms=1)

    def fill(self, price: int, quantity: int | None = None, *, taker: bool = False) -> None:
        """Fill the order that rests at the price, whole or in part."""
        order = next(o for o in self.book.live_orders(SYMBOL) if o.price == price)
        self.now_ms += 1
        steps = quantity or order.quantity - order.booked
        self._sequence += 1
        rate = Decimal("0.0005") if taker else MAKER_FEE
        fill = Fill(
            symbol=SYMBOL,
            order_id=order.order_id,
            trade_id=str(self._sequence),
            client_id=order.client_id,
            side=order.side,
            price=price,
            quantity=steps,
            fee=self.instrument.notional(price, steps) * rate,
            fee_asset="USDT",
            is_maker=not taker,
            venue_ms=self.now_ms,
        )
        changed = self.record(FillBooked(fill=fill, client_id=order.client_id))
        if order.booked == order.quantity:
            changed = (*changed, *self._end(order, OrderStatus.FILLED))
        self._tell(changed)

    def hold(self, cause: HoldCause = HoldCause.OPERATOR) -> None:
        self.record(HoldPut(hold=Hold(cause=cause, symbol=SYMBOL, reason="asked", since_ms=self.now_ms)))
        self._carry_out(self.group.on_standing(self.standing(), self.now_ms))

    def lift(self, cause: HoldCause = HoldCause.OPERATOR) -> None:
        self.record(HoldLifted(cause=cause, symbol=SYMBOL, reason="asked"))
        self._carry_out(self.group.on_standing(self.standing(), self.now_ms))

    def entries(self) -> list[Resting]:
        """Live entries, the nearest to the price first."""
        return self._resting(closing=False, nearest_first=-1)

    def exits(self) -> list[Resting]:
        """Live exits, the nearest to the price first."""
        return self._resting(closing=True, nearest_first=1)

    def standing(self) -> Standing:
        held = tuple(hold.cause.value for hold in self.book.holds.against(SYMBOL))
        return Standing(symbol=SYMBOL, halt_epoch=self.book.halt_epoch, holds=held)

    def told(self, key: SlotKey, refusal: Reason | None = None) -> Told:
        return Told(state=self.book.symbol(SYMBOL).slot(key), standing=self.standing(), refusal=refusal)

    def _resting(self, *, closing: bool, nearest_first: int) -> list[Resting]:
        orders = [o for o in self.book.live_orders(SYMBOL) if o.purpose.closing is closing]
        orders.sort(key=lambda order: nearest_first * self.sign * order.price)
        return [Resting(order.price, order.quantity - order.booked) for order in orders]

    def _tell(self, keys: Iterable[SlotKey]) -> None:
        for key in dict.fromkeys(keys):
            self._say(self.told(key))

    def _say(self, word: Told | WindowChange) -> None:
        for heard in self.post(word):
            if isinstance(heard, Told):
                self._carry_out(self.group.on_told(heard, self.now_ms))
            else:
                self._carry_out(self.group.on_window(heard, self.now_ms))

    def _carry_out(self, requests: Requests) -> None:
        for key in requests.unknown_levels:
            self._say(self.told(key))
        for alarm in requests.alarms:
            if self.window.set_alarm(alarm) and self.window.view is not None:
                self._say(WindowChange(view=self.window.view, rung=(alarm.level,)))
        for intent in requests.intents:
            self.intents.append(intent)
            if isinstance(intent, PlaceIntent):
                self._place(intent)
            else:
                self._cancel(intent)

    def _place(self, intent: PlaceIntent) -> None:
        slot = self.book.symbol(SYMBOL).slot(intent.key)
        is_held = intent.halt_epoch != self.book.halt_epoch or bool(self.standing().holds)
        is_outdated = slot.version != intent.basis_version or slot.phase is not Phase.FREE
        if is_outdated or (intent.purpose is Purpose.ENTRY and is_held):
            self._say(self.told(intent.key, Reason.STALE))
            return
        assert intent.time_in_force is TimeInForce.POST_ONLY
        self._sequence += 1
        opening = self.book.symbol(SYMBOL).generation.side.entry_side
        client_id = ClientId(
            journal="test",
            symbol=SYMBOL,
            generation=intent.key.generation,
            level=intent.key.level,
            purpose=intent.purpose,
            owner_epoch=1,
            sequence=self._sequence,
        ).encode()
        self.record(
            OrderIntended(
                client_id=client_id,
                symbol=SYMBOL,
                key=intent.key,
                purpose=intent.purpose,
                side=opening.other if intent.purpose.closing else opening,
                price=intent.price,
                quantity=intent.quantity,
                target=intent.target,
                at_ms=self.now_ms,
            )
        )
        self.record(OrderMarked(client_id=client_id, symbol=SYMBOL, signal=Signal.ACKED, order_id=f"v{self._sequence}"))
        self._tell([intent.key])

    def _cancel(self, intent: CancelIntent) -> None:
        order = self.book.orders[intent.client_id]
        if order.is_over:
            return
        self.record(OrderMarked(client_id=order.client_id, symbol=SYMBOL, signal=Signal.CANCEL))
        self._tell(self._end(order, OrderStatus.CANCELED))

    def _end(self, order: OrderEntry, status: OrderStatus) -> tuple[SlotKey, ...]:
        return self.record(
            OrderEnded(
                client_id=order.client_id, symbol=SYMBOL, order_id=order.order_id, status=status, filled=order.booked
            )
        )
