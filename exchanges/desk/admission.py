"""Whether an order may rest beside what rests: inventory, money and the order cap (rule 9, trading rules 1 and 11)."""

from __future__ import annotations

from decimal import Decimal

from exchanges.desk.core import Core
from exchanges.desk.events import Instant
from exchanges.desk.exposures import exposures
from exchanges.desk.rooms import Rooms
from grid.intent import PlaceIntent
from grid.order import Purpose
from grid.slot import Phase, SlotKey
from grid.symbol_book import OrderEntry, SymbolBook
from risk.limits import (
    Admitted,
    Candidate,
    Evict,
    Idle,
    RestingOrder,
    Standing,
    account_notional,
    admit,
    order_cap,
)

ZERO = Decimal(0)


class Admission:
    """Sees each candidate beside everything of ours that is live, and keeps the place that somebody leaves for it."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._rooms = Rooms(core)

    def make_room(self, intent: PlaceIntent, now: Instant) -> None:
        """Keep the place for the order that somebody makes room for."""
        self._rooms.keep(intent, now)

    def judge(
        self, purpose: Purpose, price: int, quantity: int, symbol: str, now: Instant, key: SlotKey | None = None
    ) -> Admitted | Evict | Idle:
        """Return whether the order may rest, whom it makes leave, or why it has to wait."""
        core = self._core
        book, desk_symbol = core.book.symbol(symbol), core.symbols[symbol]
        reference = core.reference(symbol, now)
        kept = self._rooms.kept_for_others(key, purpose, price, symbol, now)
        resting = [*(self._resting(order, now) for order in core.book.live_orders(symbol)), *kept]
        cap = order_cap(
            configured=core.settings.orders_max,
            venue_limit=desk_symbol.instrument.orders_max,
            foreign=len(core.foreign_orders.get(symbol, ())),
        )
        return admit(
            Candidate(
                price=price,
                closing=purpose.closing,
                notional=desk_symbol.instrument.notional(price, quantity),
            ),
            Standing(
                reference=None if reference is None else book.sign * reference,
                resting=resting,
                lots=self._lots_without_live_entry(book),
                max_lots=desk_symbol.policy.max_lots,
                order_cap=cap,
                account_notional=account_notional(exposures(core)) + sum((one.notional for one in kept), start=ZERO),
                account_notional_max=core.settings.notional_max,
                exits_waiting=sum(1 for key, _ in book.lots() if book.slot(key).order is None),
            ),
        )

    def _resting(self, order: OrderEntry, now: Instant) -> RestingOrder:
        """Return a live order as the caps see it. An entry younger than `min_rest` counts, and is not offered."""
        desk_symbol = self._core.symbols[order.symbol]
        left = 0 if order.purpose.closing else order.quantity - order.booked
        return RestingOrder(
            client_id=order.client_id,
            price=order.price,
            closing=order.purpose.closing,
            is_cancelling=_is_cancelling(self._core, order),
            is_young=not order.purpose.closing and now.wall_ms - order.at_ms < desk_symbol.policy.min_rest_ms,
            notional=desk_symbol.instrument.notional(order.price, left),
        )

    def _lots_without_live_entry(self, book: SymbolBook) -> int:
        """Count lots; an entry that is over but not settled has bought something already."""
        live = {o.key for o in self._core.book.live_orders(book.symbol) if not o.purpose.closing}
        return sum(
            1
            for key, slot in book.slots.items()
            if key not in live and (slot.lot is not None or (slot.phase is Phase.SETTLING and slot.has_live_entry))
        )


def _is_cancelling(core: Core, order: OrderEntry) -> bool:
    if order.client_id in core.cancel_wanted:
        return True
    return order.key is not None and core.slot(order.key).phase is Phase.CANCELLING
