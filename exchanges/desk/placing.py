"""From an intent to the wire: admission, the armed exit, the last permission.

Rules 7, 9, 11 and 15; invariants 1, 4 and 5.
"""

from __future__ import annotations

from exchanges.desk.admission import Admission
from exchanges.desk.cancelling import Cancelling
from exchanges.desk.commands import Send
from exchanges.desk.core import Chore, Core
from exchanges.desk.events import ClosingMode, Instant
from exchanges.lane import Lane
from grid.intent import PlaceIntent
from grid.order import OrderRequest, Purpose, Side, TimeInForce
from grid.reasons import Reason
from grid.records import Counted, OrderIntended, OrderMarked
from grid.slot import Phase, Signal, SlotKey, SlotState
from grid.symbol_book import OrderEntry, SymbolBook
from risk.lease import LeaseState
from risk.limits import Admitted, Evict, Idle
from risk.veto import Approved
from risk.wire_check import ClosingRoom, WireLimits, approve

RETRY_AFTER_EVICTION_MS = 500
CLOSED_AGAIN_MS = 10_000
UNSENT_MS = 90_000
"""An order that waits for the limiter longer than this is looked up and taken back: no lane holds work so long."""


class Placing:
    """Takes intents; gives permission at the wire."""

    def __init__(self, core: Core, cancelling: Cancelling) -> None:
        self._core = core
        self._cancelling = cancelling
        self._takes: set[str] = set()
        self._admission = Admission(core)

    def on_intent(self, intent: PlaceIntent, now: Instant) -> None:
        """Admit and journal, or refuse with a reason.

        A doubled or outdated intent meets a newer version and does nothing.
        """
        slot = self._core.slot(intent.key)
        self._core.suggest_reference(intent.key.symbol, intent.reference, now)
        refusal = self._outdated(intent, slot)
        if refusal is not None:
            self._core.refuse(intent.key, refusal)
        elif not intent.purpose.closing:
            self._on_entry(intent, now)
        else:
            self._on_exit(intent, slot, now)

    def arm_exit(self, key: SlotKey, now: Instant) -> None:
        """Place the exit of a lot whose entry has just ended, without asking anybody (rule 15).

        At the target, or one tick over a known price that has passed it. What cannot be placed now is left to the slot,
        which is told of the change anyway.
        """
        slot, symbol = self._core.slot(key), self._core.book.symbol(key.symbol)
        lot, instrument = slot.lot, self._core.symbols[key.symbol].instrument
        is_waiting = slot.phase is Phase.FREE and lot is not None
        if not is_waiting or lot is None or lot.quantity < instrument.quantity_min or not self._may_close(key.symbol):
            return
        if not symbol.is_of_present_side(key):
            return
        if not self._fits_position(key.symbol, lot.quantity):
            return
        sign, reference = symbol.sign, self._core.reference(key.symbol, now)
        oriented = sign * lot.target
        if reference is not None and self._is_above_window(symbol, oriented, reference):
            return
        if reference is not None and oriented <= reference and self._is_news(key.symbol):
            oriented = reference + 1
        if isinstance(
            self._admission.judge(Purpose.EXIT, sign * oriented, lot.quantity, key.symbol, now, key), Admitted
        ):
            self._intend(key, Purpose.EXIT, sign * oriented, lot.quantity, lot.target, TimeInForce.POST_ONLY, now)

    def _is_news(self, symbol: str) -> bool:
        """Whether the reference price is younger than the last fill: an older one stood before the market came down."""
        return self._core.references[symbol][1] > self._core.last_event_ms.get(symbol, -1)

    def _is_above_window(self, symbol: SymbolBook, oriented: int, reference: int) -> bool:
        """Whether an exit at this price is deferred: its target lies above L(f + Ns)."""
        sell_window, ladder = self._core.symbols[symbol.symbol].policy.sell_window, symbol.ladder
        return sell_window is not None and oriented > ladder.at(ladder.floor(reference) + sell_window)

    def release(self, client_id: str, now: Instant) -> Approved | None:
        """Give permission for the order whose turn has come, or take it back (the record is in the effects).

        This is the fence: what it does not approve never reaches a socket, and what it approves is on the list of sent
        orders before the first byte leaves.
        """
        core = self._core
        order = core.book.orders[client_id]
        if order.is_over:
            return None
        obstacle = self._obstacle(order, now)
        if obstacle is None:
            verdict = self._check(order, now)
            if isinstance(verdict, Approved):
                core.sent_ms[client_id] = core.last_sent_ms = now.mono_ms
                # Should no answer ever come: the driver's promise is not the only thing that frees the slot.
                core.do_at(Chore.LOOK_UP, client_id, now.mono_ms + core.settings.absent_after_ms)
                if not order.purpose.closing:
                    core.last_entry_sent_ms[order.symbol] = now.mono_ms
                return verdict
            obstacle = (Reason.WIRE_CHECK, verdict)
        self.withdraw_unsent(order, *obstacle)
        return None

    def withdraw_unsent(self, order: OrderEntry, reason: Reason, detail: str) -> None:
        """End an order that never left."""
        core = self._core
        core.ended(order.client_id)
        core.record(OrderMarked(client_id=order.client_id, symbol=order.symbol, signal=Signal.NOT_SENT, reason=detail))
        if order.key is not None:
            core.refuse(order.key, reason, detail)

    def intend_flatten(self, symbol: str, price: int, quantity: int, now: Instant) -> str:
        """Journal one reduce-only slice that takes; return its client id."""
        ladder = self._core.book.symbol(symbol).ladder
        client_id = self._core.next_client_id(symbol, ladder.generation, 0, Purpose.FLATTEN)
        self._takes.add(client_id)
        self._record_intent(client_id, symbol, None, Purpose.FLATTEN, price, quantity, 0, now)
        return client_id

    def intend_dust(
        self, symbol: str, closes: tuple[SlotKey, ...], price: int, quantity: int, target: int, now: Instant
    ) -> None:
        """Journal the one exit of several slots' dust, where cap and position allow it now (rule 19)."""
        if not self._may_close(symbol) or not self._fits_position(symbol, quantity):
            return
        if isinstance(self._admission.judge(Purpose.DUST, price, quantity, symbol, now), Admitted):
            generation = self._core.book.symbol(symbol).ladder.generation
            client_id = self._core.next_client_id(symbol, generation, 0, Purpose.DUST)
            self._record_intent(client_id, symbol, None, Purpose.DUST, price, quantity, target, now, closes)

    def _outdated(self, intent: PlaceIntent, slot: SlotState) -> Reason | None:
        if not self._core.is_ready:
            return Reason.RESTORING
        if not self._core.book.symbol(intent.key.symbol).is_of_present_side(intent.key):
            return Reason.OTHER_SIDE
        if slot.version != intent.basis_version or slot.phase is not Phase.FREE:
            return Reason.STALE
        if not intent.purpose.closing and intent.halt_epoch != self._core.book.halt_epoch:
            return Reason.STALE
        return None

    def _on_entry(self, intent: PlaceIntent, now: Instant) -> None:
        core, key = self._core, intent.key
        if core.ending(key.symbol) is not None:
            core.refuse(key, Reason.NO_GO, "stopping")
        elif core.standing(key.symbol).holds:
            core.refuse(key, Reason.HOLD, ", ".join(core.standing(key.symbol).holds))
        elif core.lease.state(now.mono_ms) is not LeaseState.VALID:
            core.refuse(key, Reason.NO_GO, "the risk supervisor has not said go")
        elif refusal := core.daily_loss.refusal():
            core.refuse(key, Reason.NO_GO, refusal)
        elif any(key in order.closes for order in core.book.live_orders(key.symbol)):
            core.refuse(key, Reason.DUST, "its dust is being sold with that of other levels")
        else:
            self._admit_and_intend(intent, now)

    def _on_exit(self, intent: PlaceIntent, slot: SlotState, now: Instant) -> None:
        if slot.lot is None or intent.quantity != slot.lot.quantity:
            self._core.refuse(intent.key, Reason.STALE)
        elif not self._may_close(intent.key.symbol):
            self._core.refuse(intent.key, Reason.BACK_OFF, "stopping")
        elif not self._fits_position(intent.key.symbol, intent.quantity):
            self._core.refuse(intent.key, Reason.EXIT_DEFERRED, "others hold the other way: the position is smaller")
        else:
            self._admit_and_intend(intent, now)

    def _admit_and_intend(self, intent: PlaceIntent, now: Instant) -> None:
        verdict = self._admission.judge(
            intent.purpose, intent.price, intent.quantity, intent.key.symbol, now, intent.key
        )
        if isinstance(verdict, Idle):
            self._core.refuse(intent.key, verdict.reason, verdict.text)
        elif isinstance(verdict, Evict):
            for client_id in verdict.client_ids:
                self._cancelling.cancel(client_id, now)
            self._admission.make_room(intent, now)
            retry_ms = now.wall_ms + RETRY_AFTER_EVICTION_MS
            self._core.refuse(intent.key, Reason.ORDER_CAP, "an order farther away makes room for this one", retry_ms)
        else:
            self._intend(
                intent.key, intent.purpose, intent.price, intent.quantity, intent.target, intent.time_in_force, now
            )

    def _intend(
        self,
        key: SlotKey,
        purpose: Purpose,
        price: int,
        quantity: int,
        target: int,
        time_in_force: TimeInForce,
        now: Instant,
    ) -> None:
        client_id = self._core.next_client_id(key.symbol, key.generation, key.level, purpose)
        if time_in_force is TimeInForce.GTC:
            self._takes.add(client_id)
            self._core.record(Counted(symbol=key.symbol, what="taker_exit"))
        self._record_intent(client_id, key.symbol, key, purpose, price, quantity, target, now)

    def _record_intent(
        self,
        client_id: str,
        symbol: str,
        key: SlotKey | None,
        purpose: Purpose,
        price: int,
        quantity: int,
        target: int,
        now: Instant,
        closes: tuple[SlotKey, ...] = (),
    ) -> None:
        opening = self._opening_side(symbol, key)
        self._core.record(
            OrderIntended(
                client_id=client_id,
                symbol=symbol,
                key=key,
                purpose=purpose,
                side=opening.other if purpose.closing else opening,
                price=price,
                quantity=quantity,
                target=target,
                at_ms=now.wall_ms,
                closes=closes,
            )
        )
        self._core.do_at(Chore.LOOK_UP, client_id, now.mono_ms + UNSENT_MS)
        self._core.command(Send(client_id=client_id, lane=Lane.EXIT if purpose.closing else Lane.ENTRY))

    def _opening_side(self, symbol: str, key: SlotKey | None) -> Side:
        """Return on which side an order opens: of the slot's own ladder, of the lots for one that sells them all."""
        book = self._core.book.symbol(symbol)
        if key is not None:
            return book.side_of(key).entry_side
        return Side.BUY if book.held_sign > 0 else Side.SELL

    def _may_close(self, symbol: str) -> bool:
        core = self._core
        if symbol in core.selling:
            return False
        return core.may_act and core.ending(symbol) in (None, ClosingMode.LEAVE_EXITS)

    def _obstacle(self, order: OrderEntry, now: Instant) -> tuple[Reason, str] | None:
        core = self._core
        if core.is_fenced:
            return Reason.HOLD, "another gateway owns the account"
        if not core.is_owner:
            return Reason.HOLD, "the lease on the account is not held"
        if order.client_id in core.cancel_wanted:
            return Reason.NOT_SENT, "withdrawn before it was sent"
        ending = core.ending(order.symbol)
        if order.purpose in (Purpose.EXIT, Purpose.DUST) and ending in (ClosingMode.KEEP, ClosingMode.FLATTEN):
            return Reason.NOT_SENT, "stopping"
        if order.purpose.closing:
            return None
        if ending is not None:
            return Reason.NO_GO, "stopping"
        holds = core.standing(order.symbol).holds
        if holds:
            return Reason.HOLD, ", ".join(holds)
        if core.lease.state(now.mono_ms) is not LeaseState.VALID:
            return Reason.NO_GO, "the risk supervisor has not said go"
        return None

    def _check(self, order: OrderEntry, now: Instant) -> Approved | str:
        core, desk_symbol = self._core, self._core.symbols[order.symbol]
        if not desk_symbol.instrument.trading and (Chore.RULES, "") not in core.chores:
            core.do_at(Chore.RULES, "", now.mono_ms + CLOSED_AGAIN_MS)  # by what the rules said when they were read
        takes = order.client_id in self._takes
        self._takes.discard(order.client_id)  # its turn comes once
        request = OrderRequest(
            symbol=order.symbol,
            client_id=order.client_id,
            side=order.side,
            price=order.price,
            quantity=order.quantity,
            closing=order.purpose.closing,
            time_in_force=_lifetime(order, takes),
            recv_window_ms=core.settings.recv_window_ms,
        )
        verdict = approve(
            request,
            instrument=desk_symbol.instrument,
            limits=WireLimits(
                amount=desk_symbol.policy.amount,
                mark_band=core.settings.mark_band,
                slippage=desk_symbol.opening.slippage
                if desk_symbol.opening is not None and order.purpose is Purpose.OPEN
                else None,
            ),
            mark=core.mark(order.symbol, now),
            room=self._room(order.symbol, order.client_id),
            daily_loss=core.daily_loss,
        )
        return verdict if isinstance(verdict, Approved) else verdict.reason

    def _fits_position(self, symbol: str, quantity: int) -> bool:
        """Whether so many more steps may rest to close (trading rule 8)."""
        side = self._opening_side(symbol, None).other
        return quantity <= self._room(symbol).steps(side)

    def _room(self, symbol: str, besides: str = "") -> ClosingRoom:
        """Return what may be closed.

        What other closing orders may still fill is taken off. The position is the book's: lots and what is foreign net
        to one in one-way mode.
        """
        book = self._core.book.symbol(symbol)
        others = (o for o in self._core.book.live_orders(symbol) if o.client_id != besides)
        resting = sum(o.quantity - o.booked for o in others if o.purpose.closing)
        return ClosingRoom(lots=book.held_sign * book.lot_steps(), position=book.expected_position(), resting=resting)


def _lifetime(order: OrderEntry, takes: bool) -> TimeInForce:
    if order.purpose in (Purpose.FLATTEN, Purpose.OPEN):
        return TimeInForce.IOC
    return TimeInForce.GTC if takes else TimeInForce.POST_ONLY
