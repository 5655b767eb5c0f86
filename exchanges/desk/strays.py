"""Orders of ours that the book does not know, or knew to be over: adopted or cancelled, always counted (rule 22)."""

from __future__ import annotations

from exchanges.desk.cancelling import Cancelling
from exchanges.desk.core import Chore, Core
from exchanges.desk.events import Instant
from grid.client_id import ClientId, decode
from grid.order import OrderReport, OrderStatus, Purpose
from grid.records import Counted, OrderIntended, OrderMarked
from grid.slot import Phase, Signal, SlotKey


class Strays:
    """Finds out whose an order is, and what becomes of one of ours."""

    def __init__(self, core: Core, cancelling: Cancelling) -> None:
        self._core = core
        self._cancelling = cancelling

    def on_unknown(self, report: OrderReport, now: Instant) -> None:
        """Take the venue's word on an order that the book does not know: foreign, of a later owner, or an orphan."""
        core = self._core
        identity = self.own(report.client_id, report.symbol)
        if identity is None:
            others = core.foreign_orders.setdefault(report.symbol, set())
            others.discard(report.order_id) if report.status.is_terminal else others.add(report.order_id)
            return
        if identity.owner_epoch > core.book.owner_epoch:
            core.fence(identity.owner_epoch)
            return
        if not report.status.is_terminal and identity.purpose is Purpose.STOP:
            self.adopt_or_cancel(identity, report, now)
        elif not report.status.is_terminal:
            core.record(Counted(symbol=report.symbol, what="orphan"))
            self.adopt_or_cancel(identity, report, now)

    def adopt_or_cancel(self, identity: ClientId, report: OrderReport, now: Instant) -> None:
        """Rule 22: an exit is adopted where its slot holds that lot and has no order; anything else is cancelled."""
        core = self._core
        key = SlotKey(symbol=report.symbol, generation=identity.generation, level=identity.level)
        if identity.purpose is Purpose.STOP:
            # What the exchange-side stop became: at market, and over before a cancel could come.
            self._intend_again(identity, report, key, now, attach=False)
            core.record(acked(report))
            return
        slot = core.slot(key)
        fits = (
            slot.lot is not None and slot.phase is Phase.FREE and report.quantity - report.filled == slot.lot.quantity
        )
        is_present = core.book.symbol(report.symbol).is_of_present_side(key)
        adopted = identity.purpose is Purpose.EXIT and fits and is_present
        self._intend_again(identity, report, key, now, attach=adopted)
        core.record(acked(report))
        if not adopted:
            self._cancelling.cancel(report.client_id, now)

    def _intend_again(
        self, identity: ClientId, report: OrderReport, key: SlotKey, now: Instant, *, attach: bool
    ) -> None:
        slot, ladders = self._core.slot(key), self._core.book.symbol(report.symbol).ladders
        ladder = ladders.get(identity.generation)
        target = slot.lot.target if slot.lot is not None else ladder.price(key.level + 1) if ladder is not None else 0
        self._core.record(
            OrderIntended(
                client_id=report.client_id,
                symbol=report.symbol,
                key=key if identity.purpose.is_of_slot else None,
                purpose=identity.purpose,
                side=report.side,
                price=report.price,
                quantity=report.quantity,
                target=target,
                at_ms=now.wall_ms,
                attach=attach,
            )
        )

    def watch(self, identity: ClientId, client_id: str, order_id: str, price: int, quantity: int, now: Instant) -> None:
        """Take an order into the book of which only a fill is known; it is looked up."""
        if identity.purpose is Purpose.STOP:
            # It closes whatever there is: nothing else may close beside it until its end is known.
            quantity = max(quantity, abs(self._core.book.symbol(identity.symbol).expected_position()))
        key = SlotKey(symbol=identity.symbol, generation=identity.generation, level=identity.level)
        opening = self._core.book.symbol(identity.symbol).side_of(key).entry_side
        report = OrderReport(
            symbol=identity.symbol,
            order_id=order_id,
            client_id=client_id,
            side=opening.other if identity.purpose.closing else opening,
            status=OrderStatus.NEW,
            price=price,
            quantity=quantity,
            filled=0,
            closing=identity.purpose.closing,
            venue_ms=now.venue_ms,
        )
        self._intend_again(identity, report, key, now, attach=False)
        self._core.do_at(Chore.LOOK_UP, client_id, now.mono_ms)

    def own(self, client_id: str, symbol: str) -> ClientId | None:
        """Return what the client id of an order of this journal says; None for any other."""
        identity = decode(client_id, symbol)
        return identity if identity is not None and identity.journal == self._core.settings.journal else None


def acked(report: OrderReport) -> OrderMarked:
    """Return the record that the order lives at the venue, by its id there."""
    return OrderMarked(client_id=report.client_id, symbol=report.symbol, signal=Signal.ACKED, order_id=report.order_id)
