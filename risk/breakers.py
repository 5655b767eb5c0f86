"""Breakers on money: stop-loss, trailing take-profit, drawdown and layers, evaluated before any entry.

Each trips with a reason and stays tripped. It ends by an operator's word or, where one is configured, by `Reentry`:
a cool-down *and* a price rule, so that a stop is not followed by buying the same fall again. Amounts in the quote
asset; times in milliseconds of one clock that the caller chooses (wall time where the state is journalled).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from grid.errors import ConfigError


class BreakerKind(Enum):
    """Which breaker."""

    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    DRAWDOWN = "drawdown"
    LAYERS = "layers"
    DAILY_LOSS = "daily_loss"
    STOP_PRICE = "stop_price"
    PROFIT_PRICE = "profit_price"
    """The grid has reached its goal: there is nothing to come back to, so only an operator ends it."""


BY_STATE = (BreakerKind.LAYERS, BreakerKind.STOP_PRICE)
"""What trips by how things stand, not by what was lost: it goes on for as long as they stand so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reentry:
    """When a tripped breaker ends by itself: after `cool_down_ms`, and once the price has come back.

    `recovery` is a fraction: for a long grid the price must stand at or above trip price x (1 + recovery), for a short
    one at or below trip price x (1 - recovery). 0 asks for the trip price itself.
    """

    cool_down_ms: int
    recovery: Decimal = Decimal(0)

    def refusal(self, trip: Trip, price: Decimal | None, *, is_long: bool, now_ms: int) -> str:
        """Return why entries stay off, or nothing where both rules are met. An unknown price refuses."""
        left_ms = trip.at_ms + self.cool_down_ms - now_ms
        if left_ms > 0:
            return f"cool-down for another {left_ms / 1000:.0f} s"
        if price is None or trip.price is None:
            return "the price is unknown"
        sign = 1 if is_long else -1
        bound = trip.price * (1 + sign * self.recovery)
        if (price - bound) * sign < 0:
            return f"price {price} has not come back to {bound}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A breaker in force. A value that the journal keeps; `price` is the symbol's price then, None for the account."""

    kind: BreakerKind
    reason: str
    price: Decimal | None
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerReading:
    """One symbol (or, with an empty symbol, the account) at one moment.

    `profit` is total profit, realised and unrealised, fees and funding in it. `layers` counts levels with a lot.
    """

    symbol: str
    profit: Decimal
    layers: int
    price: Decimal | None
    is_long: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRules:
    """Limits of one scope; None switches a breaker off. One without an entry in `reentry` ends by an operator only.

    Take-profit: armed once profit since the last rebase reaches `take_profit_arm`; trips when profit has then fallen
    from its peak by the fraction `take_profit_give_back`. `stop_price` and `profit_price` are marks of the symbol at
    or beyond which the whole grid ends: a long grid's stop lies under its profit, a short one's over it.
    """

    stop_loss: Decimal | None = None
    take_profit_arm: Decimal | None = None
    take_profit_give_back: Decimal = Decimal("0.3")
    layers_max: int | None = None
    stop_price: Decimal | None = None
    profit_price: Decimal | None = None
    reentry: Mapping[BreakerKind, Reentry] | None = None

    def __post_init__(self) -> None:
        for key, limit in (("stop_loss", self.stop_loss), ("take_profit_arm", self.take_profit_arm)):
            if limit is not None and limit <= 0:
                raise ConfigError(key, limit, "greater than 0")
        if not 0 < self.take_profit_give_back < 1:
            raise ConfigError("take_profit_give_back", self.take_profit_give_back, "between 0 and 1")
        if self.layers_max is not None and self.layers_max < 1:
            raise ConfigError("layers_max", self.layers_max, "at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerState:
    """What a restart needs: where profit is measured from, its peak since, and the trip in force."""

    base: Decimal = Decimal(0)
    peak: Decimal = Decimal(0)
    trip: Trip | None = None


def evaluate(
    rules: BreakerRules, state: BreakerState, reading: BreakerReading, now_ms: int
) -> tuple[BreakerState, str]:
    """Judge one scope before an entry; returns the state to keep and why entries are off, empty where they are not.

    A reading that would trip again also keeps a trip in force, whatever its `Reentry` says.
    """
    profit = reading.profit - state.base
    peak = max(state.peak, profit)
    found = _tripped(rules, reading, profit, peak)
    if state.trip is None:
        if found is None:
            return BreakerState(base=state.base, peak=peak), ""
        trip = Trip(kind=found[0], reason=found[1], price=reading.price, at_ms=now_ms)
        return BreakerState(base=state.base, peak=peak, trip=trip), trip.reason
    reentry = (rules.reentry or {}).get(state.trip.kind)
    if reentry is None:
        return BreakerState(base=state.base, peak=peak, trip=state.trip), f"{state.trip.reason}; an operator lifts it"
    waiting = reentry.refusal(state.trip, reading.price, is_long=reading.is_long, now_ms=now_ms)
    if state.trip.kind in BY_STATE and not waiting and found is not None:
        waiting = found[1]
    if waiting:
        return BreakerState(base=state.base, peak=peak, trip=state.trip), f"{state.trip.reason}; {waiting}"
    return rebased(state, reading), ""


def rebased(state: BreakerState, reading: BreakerReading) -> BreakerState:
    """Return the state after a lift: profit counts from here, so the same loss does not trip twice."""
    if state.trip is not None and state.trip.kind is BreakerKind.LAYERS:
        return BreakerState(base=state.base, peak=state.peak)
    return BreakerState(base=reading.profit)


def _tripped(
    rules: BreakerRules, reading: BreakerReading, profit: Decimal, peak: Decimal
) -> tuple[BreakerKind, str] | None:
    scope = reading.symbol or "account"
    if reached := _reached(rules, reading):
        return reached
    if rules.stop_loss is not None and profit <= -rules.stop_loss:
        return BreakerKind.STOP_LOSS, f"{scope}: stop-loss, profit {profit} is at or under -{rules.stop_loss}"
    arm = rules.take_profit_arm
    if arm is not None and peak >= arm and profit <= peak * (1 - rules.take_profit_give_back):
        text = f"{scope}: take-profit, profit {profit} gave back {rules.take_profit_give_back:.0%} of its peak {peak}"
        return BreakerKind.TAKE_PROFIT, text
    if rules.layers_max is not None and reading.layers >= rules.layers_max:
        return BreakerKind.LAYERS, f"{scope}: {reading.layers} layers held, {rules.layers_max} allowed"
    return None


def _reached(rules: BreakerRules, reading: BreakerReading) -> tuple[BreakerKind, str] | None:
    """Return which price of the whole grid the mark is at or beyond. An unknown mark is at none."""
    price, sign = reading.price, 1 if reading.is_long else -1
    if price is None:
        return None
    if rules.stop_price is not None and (price - rules.stop_price) * sign <= 0:
        return BreakerKind.STOP_PRICE, f"{reading.symbol}: the mark {price} has reached stop_price {rules.stop_price}"
    if rules.profit_price is not None and (price - rules.profit_price) * sign >= 0:
        words = f"the mark {price} has reached take_profit_price {rules.profit_price}"
        return BreakerKind.PROFIT_PRICE, f"{reading.symbol}: {words}"
    return None


class Drawdown:
    """Halt of the account when equity falls by a fraction of its highest reading. Only `rebase` ends it."""

    def __init__(self, *, fraction: Decimal, peak: Decimal | None = None, is_tripped: bool = False) -> None:
        if not 0 < fraction < 1:
            raise ConfigError("account.drawdown", fraction, "between 0 and 1")
        self._fraction = fraction
        self.peak = peak
        self.is_tripped = is_tripped

    def update(self, equity: Decimal) -> str:
        """Take a reading; returns the reason when it trips by this one, else nothing."""
        self.peak = equity if self.peak is None else max(self.peak, equity)
        floor = self.peak * (1 - self._fraction)
        # At or under zero nothing is left to protect by a fraction of the peak.
        if self.is_tripped or (equity > floor and equity > 0):
            return ""
        self.is_tripped = True
        return f"drawdown: equity {equity} is at or under {floor}, {self._fraction:.1%} below its peak {self.peak}"

    def cash_moved(self, amount: Decimal) -> None:
        """Take a deposit or withdrawal out of the measure."""
        if self.peak is not None:
            self.peak += amount

    def rebase(self) -> None:
        """Start anew: the next reading is the peak."""
        self.peak = None
        self.is_tripped = False
