"""What should rest at a level: a function of (price, book, holds), rule 8. Rules 9 to 19 line by line.

Nothing here remembers. Account-wide limits (`max_lots`, notional, order cap, margin) need all slots at once and are the
order desk's admission; everything that one level can know is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from grid.holds import HoldCause
from grid.instrument import Instrument
from grid.ladder import Ladder
from grid.lot import Lot
from grid.order import Purpose, TimeInForce
from grid.policy import GridPolicy
from grid.reasons import Reason
from grid.sizing import entry_quantity, is_valid_opening
from grid.slot import Phase, SlotOrder, SlotState
from grid.window import Alarm, MarketView


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An order should rest. Price and target in plain ticks, quantity in steps."""

    purpose: Purpose
    price: int
    quantity: int
    target: int
    time_in_force: TimeInForce = TimeInForce.POST_ONLY
    reason: Reason = Reason.ENTRY_WANTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """The resting order should go."""

    client_id: str
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Nothing to do now, and why. `retry_ms` where time alone changes that; `alarm` where only a price would."""

    reason: Reason
    detail: str = ""
    retry_ms: int | None = None
    alarm: Alarm | None = None


Decision = Place | Withdraw | Stay


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything but the slot itself. `view` None: no price. `holds`: names of the holds against the symbol."""

    ladder: Ladder
    policy: GridPolicy
    instrument: Instrument
    view: MarketView | None
    holds: tuple[str, ...]
    has_older_lot: bool
    now_ms: int
    rejects: int = 0
    """Post-only rejects in a row; only `exit_taker` looks at them."""
    filled_ms: int = 0
    """When the last fill of the entry was heard of: the price at which it happened is no older."""


TAKER_AFTER_REJECTS = 3

_WAITING = {
    Phase.CANCELLING: Reason.CANCELLING,
    Phase.UNKNOWN: Reason.OUTCOME_UNKNOWN,
    Phase.SETTLING: Reason.SETTLING,
    Phase.BLOCKED: Reason.BLOCKED,
}


def decide(slot: SlotState, around: Surroundings) -> Decision:
    """Return what should happen at the slot now."""
    waiting = _WAITING.get(slot.phase)
    if waiting is not None:
        return Stay(reason=waiting)
    if HoldCause.PRICE.value in around.holds:
        around = replace(around, view=None)  # the last price is not the price: exits go to their targets
    if slot.order is not None:
        return _live_exit(slot, slot.order, around) if slot.has_live_exit else _live_entry(slot, slot.order, around)
    if slot.lot is None:
        return _entry(slot, around, held_steps=0, target=None)
    if is_dust(slot.lot, around.instrument):
        return _entry(slot, around, held_steps=slot.lot.quantity, target=slot.lot.target)
    return _exit(slot, around)


def decide_left(slot: SlotState) -> Decision:
    """Return what should happen at a slot of the side of a neutral grid that does not work: nothing rests there.

    A lot that came to light there waits until the grid has turned back to it.
    """
    waiting = _WAITING.get(slot.phase)
    if waiting is None and slot.order is not None:
        return Withdraw(client_id=slot.order.client_id, reason=Reason.OTHER_SIDE)
    return Stay(reason=waiting or Reason.OTHER_SIDE)


def _live_entry(slot: SlotState, order: SlotOrder, around: Surroundings) -> Decision:
    """Rules 10, 11 and 13: when a resting entry is withdrawn."""
    level, ladder, view = slot.key.level, around.ladder, around.view
    if around.holds:
        return Withdraw(client_id=order.client_id, reason=Reason.HOLD)
    rested_ms = order.placed_ms + around.policy.min_rest_ms
    too_young = Stay(reason=Reason.MIN_REST, retry_ms=rested_ms) if around.now_ms < rested_ms else None
    if slot.key.generation != ladder.generation:
        return too_young or Withdraw(client_id=order.client_id, reason=Reason.OLDER_GENERATION)
    if not around.policy.has(level):
        return too_young or Withdraw(client_id=order.client_id, reason=Reason.OUT_OF_RANGE)
    if view is None:
        return Stay(reason=Reason.PRICE_UNKNOWN)
    half = ladder.at(level) + -(-ladder.gap(level) // 2)
    # Not "has a lot": an entry that joins dust (rule 19) has one from the start, and would be cut for ever.
    is_part_filled = order.filled > 0
    if slot.lot is not None and not is_part_filled and not is_dust(slot.lot, around.instrument):
        # An older order's fill came late: the lot waits for its exit, which this entry keeps from resting.
        return Withdraw(client_id=order.client_id, reason=Reason.LATE_LOT)
    # The market was at the level when the entry filled; what was told before that is not the price any more.
    if is_part_filled and view.price >= half and view.at_ms >= around.filled_ms:
        return Withdraw(client_id=order.client_id, reason=Reason.CUT)
    if level < view.top - around.policy.buy_window + 1 - around.policy.entry_slack:
        return too_young or Withdraw(client_id=order.client_id, reason=Reason.LEFT_WINDOW)
    alarm = Alarm(level=level, high=half, after_ms=around.filled_ms) if is_part_filled else None
    reason = Reason.PENDING if slot.phase is Phase.PENDING else Reason.ENTRY_RESTING
    return Stay(reason=reason, alarm=alarm)


def _live_exit(slot: SlotState, order: SlotOrder, around: Surroundings) -> Decision:
    """Rules 16 and 21: an exit comes down to its target by half an interval or more, and is of its whole lot."""
    if slot.phase is Phase.PENDING:
        return Stay(reason=Reason.PENDING)
    if slot.lot is None or order.quantity - order.filled > slot.lot.quantity:
        return Withdraw(client_id=order.client_id, reason=Reason.LOT_SHRANK)
    if order.quantity - order.filled < slot.lot.quantity:
        # A fill came after the end of its entry: the exit is of the whole lot (rule 15).
        return Withdraw(client_id=order.client_id, reason=Reason.LOT_GREW)
    sign = around.ladder.side.sign
    resting, target = sign * order.price, sign * slot.lot.target
    if resting <= target or around.view is None:
        # Without a price there is nothing to wait for: an alarm could ring at once, and for ever.
        return Stay(reason=Reason.EXIT_RESTING)
    half = -(-_gap_of(slot, around) // 2)
    lowest = max(target, around.view.price + 1)
    if resting - lowest >= half:
        return Withdraw(client_id=order.client_id, reason=Reason.REPRICE)
    # An alarm only where a price can ring it to some effect: the target itself may be too near.
    alarm = Alarm(level=slot.key.level, low=resting - half - 1) if resting - target >= half else None
    return Stay(reason=Reason.EXIT_RESTING, alarm=alarm)


def _exit(slot: SlotState, around: Surroundings) -> Decision:
    """Rule 15: the exit of the whole lot, at its target or one tick over the price."""
    lot, view, sign = slot.lot, around.view, around.ladder.side.sign
    assert lot is not None
    target = sign * lot.target
    if view is None:
        return _exit_at(slot, target, around)
    sell_window = around.policy.sell_window
    if sell_window is not None and target > around.ladder.at(view.floor + sell_window):
        return Stay(reason=Reason.EXIT_DEFERRED, detail="target lies above the sell window")
    if target > view.price:
        return _exit_at(slot, target, around)
    if around.policy.exit_taker and around.rejects >= TAKER_AFTER_REJECTS:
        return _exit_at(slot, target, around, TimeInForce.GTC)
    return _exit_at(slot, view.price + 1, around)


def _exit_at(
    slot: SlotState, oriented: int, around: Surroundings, time_in_force: TimeInForce = TimeInForce.POST_ONLY
) -> Place:
    assert slot.lot is not None
    return Place(
        purpose=Purpose.EXIT,
        price=around.ladder.side.sign * oriented,
        quantity=slot.lot.quantity,
        target=slot.lot.target,
        time_in_force=time_in_force,
        reason=Reason.EXIT_WANTED,
    )


def _entry(slot: SlotState, around: Surroundings, held_steps: int, target: int | None) -> Decision:
    """Rule 9, and 19 for a slot whose lot is dust (`held_steps` above 0, joining at its old `target`)."""
    obstacle = _obstacle_to_entry(slot, around)
    if obstacle is not None:
        return obstacle if held_steps == 0 else Stay(reason=Reason.DUST, detail=obstacle.reason.value)
    ladder, level = around.ladder, slot.key.level
    price = ladder.price(level)
    quantity = entry_quantity(around.policy.amount, price, around.instrument) - held_steps
    if quantity <= 0 or not is_valid_opening(quantity, price, around.instrument):
        return Stay(reason=Reason.DUST if held_steps else Reason.AMOUNT_TOO_SMALL)
    return Place(
        purpose=Purpose.ENTRY,
        price=price,
        quantity=quantity,
        target=ladder.price(level + 1) if target is None else target,
    )


def _obstacle_to_entry(slot: SlotState, around: Surroundings) -> Stay | None:
    ladder, view, level = around.ladder, around.view, slot.key.level
    if slot.key.generation != ladder.generation:
        return Stay(reason=Reason.OLDER_GENERATION)
    if around.holds:
        return Stay(reason=Reason.HOLD, detail=", ".join(around.holds))
    if view is None:
        return Stay(reason=Reason.PRICE_UNKNOWN)
    lowest_open = view.top - around.policy.buy_window + 1
    if not around.policy.has(level):
        return Stay(reason=Reason.OUT_OF_RANGE)
    if level > view.top:
        return Stay(reason=Reason.ABOVE_PRICE)
    if level < lowest_open:
        slack = level >= lowest_open - around.policy.entry_slack
        return Stay(reason=Reason.SLACK if slack else Reason.BELOW_WINDOW)
    lowest, highest = sorted((ladder.price(level), ladder.price(level + 1)))
    if lowest < around.instrument.price_min or highest > around.instrument.price_max:
        return Stay(reason=Reason.BELOW_MIN_PRICE)
    if around.has_older_lot:
        return Stay(reason=Reason.OLDER_LOT)
    if not pays(ladder, level, around.policy.maker_fee):
        return Stay(reason=Reason.UNPROFITABLE)
    return None


def is_dust(lot: Lot, instrument: Instrument) -> bool:
    """Whether the venue takes no closing order for the lot at its target (rule 19)."""
    if lot.quantity < instrument.quantity_min:
        return True
    return not instrument.closing_exempt and instrument.notional(lot.target, lot.quantity) < instrument.notional_min


def pays(ladder: Ladder, level: int, maker_fee: Decimal) -> bool:
    """Whether one round trip at the level earns more than its two maker fees (rule 9)."""
    return ladder.gap(level) > maker_fee * (abs(ladder.at(level)) + abs(ladder.at(level + 1)))


def _gap_of(slot: SlotState, around: Surroundings) -> int:
    """Return d of the lot: the distance from its level to its target where the level is of this generation."""
    if slot.key.generation == around.ladder.generation:
        return around.ladder.gap(slot.key.level)
    return max(2, around.ladder.gap(around.view.floor) if around.view is not None else 2)
