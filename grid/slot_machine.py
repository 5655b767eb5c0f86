"""One level's machine: event in, intents out; it remembers only what may be forgotten.

Its slot state is a cache of the order desk's book. Losing it, or any message, delays the level until the next event and
never changes what it ends up doing.
"""

from __future__ import annotations

from dataclasses import dataclass

from grid.decision import Decision, Place, Stay, Surroundings, Withdraw, decide, decide_left
from grid.instrument import Instrument
from grid.intent import CancelIntent, Intent, PlaceIntent, Standing, Told
from grid.ladder import Ladder
from grid.lot import Lot
from grid.order import Purpose
from grid.policy import RETRY_FIRST_MS, RETRY_LAST_MS, GridPolicy
from grid.reasons import Reason
from grid.slot import SlotKey, SlotOrder, SlotState
from grid.window import Alarm, MarketView

ANSWER_DUE_MS = 2_000
"""An intent without an answer is proposed again after this; the basis version keeps it from acting twice."""

_BACKS_OFF = frozenset(
    {
        Reason.WIRE_CHECK,
        Reason.VENUE_REFUSED,
        Reason.BUSY,
        Reason.ORDER_CAP,
        Reason.EXIT_DEFERRED,
        Reason.MAX_LOTS,
        Reason.MAX_NOTIONAL,
        Reason.MARGIN,
        Reason.NO_GO,
        Reason.BACK_OFF,
        Reason.NOT_SENT,
        Reason.RESTORING,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a level has, or lacks, an order; `next_try_ms` where a time is known."""

    level: int
    generation: int
    price: int
    phase: str
    order: SlotOrder | None
    lot: Lot | None
    reason: Reason
    detail: str
    next_try_ms: int | None


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a level wants done after an event: at most one intent, and at most one alarm."""

    intent: Intent | None = None
    alarm: Alarm | None = None
    needs_price: bool = False


class SlotMachine:
    """Decides for one level. Knows nothing until it is told the book's state of the slot.

    With `presumes_empty` it takes a slot of which it was told nothing for one that was never used: an intent that is
    based on that is refused, and the truth told, where the book knows better.
    """

    def __init__(
        self,
        key: SlotKey,
        ladder: Ladder,
        policy: GridPolicy,
        instrument: Instrument,
        own_ladder: Ladder | None = None,
        *,
        presumes_empty: bool = False,
    ) -> None:
        self.key = key
        self._presumes_empty = presumes_empty
        self._ladder = ladder
        self._own_ladder = own_ladder or ladder
        self._policy = policy
        self._instrument = instrument
        self._told: Told | None = None
        self._filled_ms = 0
        self._refusals = 0
        self._rejects = 0
        self._retry_ms = 0
        self._why, self._why_detail = Reason.BACK_OFF, ""
        self._asked: tuple[int, str] | None = None
        self._asked_until_ms = 0
        self._last: Stay = Stay(reason=Reason.RESTORING)

    @property
    def state(self) -> SlotState | None:
        """Return the cached state of the slot, None before the first word from the desk."""
        return self._told.state if self._told is not None else None

    def on_told(self, told: Told, standing: Standing, view: MarketView | None, now_ms: int) -> Reaction:
        """Take the desk's word; older versions are ignored, so doubles and reversals are harmless."""
        last = self._told
        if last is not None and told.state.version < last.state.version:
            return Reaction()
        # A word is news if it answers a question or changes the state; the double of a refusal is neither.
        is_news = last is None or self._asked is not None or told.state.version > last.state.version
        if last is not None and (last.state.lot is None) is not (told.state.lot is None):
            # What was refused is no longer what is wanted.
            self._refusals, self._rejects, self._retry_ms = 0, 0, 0
        if _filled(told) > (_filled(last) if last is not None else 0):
            self._filled_ms = now_ms
        self._told = told
        if last is None or told.refusal is not None or told.state.version > last.state.version:
            # The same word once more is no answer: a cancel of an order still under way is kept by the desk, and
            # asking again at once would be answered so again, for as long as the venue takes.
            self._asked = None
        needs_price = False
        if told.refusal in _BACKS_OFF and is_news:
            self._refusals += 1
            self._why, self._why_detail = told.refusal, told.detail
            self._rejects += 1 if told.refusal is Reason.BACK_OFF else 0
            wait_ms = min(RETRY_FIRST_MS << min(self._refusals - 1, 10), RETRY_LAST_MS)
            self._retry_ms = max(now_ms + wait_ms, told.retry_ms or 0)
            needs_price = True
        elif told.refusal is None and told.state.order is not None and told.state.order.order_id:
            self._refusals, self._rejects, self._retry_ms = 0, 0, 0
        reaction = self.evaluate(standing, view, now_ms)
        return Reaction(intent=reaction.intent, alarm=reaction.alarm, needs_price=needs_price)

    def evaluate(self, standing: Standing, view: MarketView | None, now_ms: int) -> Reaction:
        """Decide again; called after every event and once every reconcile period."""
        told = self._told or self._presumed(standing)
        if told is None:
            return Reaction()
        if self._own_ladder.side is not self._ladder.side:
            return self._react(decide_left(told.state), told, standing, view, now_ms)
        around = Surroundings(
            ladder=self._ladder,
            policy=self._policy,
            instrument=self._instrument,
            view=view if view is not None and view.generation == self._ladder.generation else None,
            holds=standing.holds,
            has_older_lot=told.has_older_lot,
            now_ms=now_ms,
            rejects=self._rejects,
            filled_ms=self._filled_ms,
        )
        return self._react(decide(told.state, around), told, standing, view, now_ms)

    def _presumed(self, standing: Standing) -> Told | None:
        return Told(state=SlotState(key=self.key), standing=standing) if self._presumes_empty else None

    def explain(self) -> Explanation:
        """Return why the level is as it is, from the last decision."""
        state = self.state
        return Explanation(
            level=self.key.level,
            generation=self.key.generation,
            price=self._own_ladder.price(self.key.level),
            phase=state.phase.value if state is not None else "unknown",
            order=state.order if state is not None else None,
            lot=state.lot if state is not None else None,
            reason=self._last.reason,
            detail=self._last.detail,
            next_try_ms=self._last.retry_ms,
        )

    def wakes_at_ms(self) -> int | None:
        """Return when time alone may change the decision, None if never."""
        return self._last.retry_ms

    def _react(
        self, decision: Decision, told: Told, standing: Standing, view: MarketView | None, now_ms: int
    ) -> Reaction:
        if isinstance(decision, Stay):
            self._last = decision
            return Reaction(alarm=decision.alarm)
        if isinstance(decision, Place) and now_ms < self._retry_ms:
            # The refusal by its own name: "back off" alone would not say what has to change.
            self._last = Stay(reason=self._why, detail=self._why_detail, retry_ms=self._retry_ms)
            return Reaction()
        reference = view.price if view is not None else None
        intent = self._intent(decision, told, standing, reference)
        basis = (told.state.version, decision.client_id if isinstance(decision, Withdraw) else "")
        is_waiting = self._asked == basis and now_ms < self._asked_until_ms
        if not is_waiting:
            self._asked, self._asked_until_ms = basis, now_ms + ANSWER_DUE_MS
        self._last = Stay(reason=decision.reason, detail="asked", retry_ms=self._asked_until_ms)
        return Reaction() if is_waiting else Reaction(intent=intent)

    def _intent(self, decision: Place | Withdraw, told: Told, standing: Standing, reference: int | None) -> Intent:
        if isinstance(decision, Withdraw):
            return CancelIntent(key=self.key, client_id=decision.client_id, reason=decision.reason, reference=reference)
        return PlaceIntent(
            key=self.key,
            basis_version=told.state.version,
            purpose=decision.purpose,
            price=decision.price,
            quantity=decision.quantity,
            target=decision.target,
            time_in_force=decision.time_in_force,
            reference=reference,
            halt_epoch=standing.halt_epoch,
        )


def _filled(told: Told) -> int:
    """Return how much of the present entry has filled."""
    order = told.state.order
    return order.filled if order is not None and order.purpose is Purpose.ENTRY else 0
