"""A first ladder from how far the market moves, what a step costs in fees, and what may be put at risk.

A proposal is arithmetic, no forecast: the step is large against fees and small against the usual candle, the ladder is
as deep as a few usual days, and every lot of it together fits into the funds with the reserve that a start asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import Enum

from grid.errors import ConfigError
from grid.instrument import Instrument
from grid.ladder import GridSide, Spacing
from risk.candle import Candle
from risk.outlook import break_even_ticks
from risk.prestart import MARGIN_FACTOR
from risk.prestart_levels import DUST_NOTIONAL

DAY_MS = 86_400_000
CANDLES_MIN = 16
STEP_OVER_FEES = 3
"""A step is at least so many of the smallest ones that earn."""
STEP_OF_CANDLE = Decimal("0.5")
LOTS_MIN = 5
LOTS_MAX = 200
WINDOW_MAX = 10
DEPTH_MAX = Decimal("0.4")
RESERVE = Decimal("0.95")
UPKEEP = Decimal("0.02")
"""Maintenance margin counted for each lot, as a fraction of its amount: above the first bracket of large coins."""
RISE = Decimal("1.1")
"""The amount still buys a valid order when the price has risen so much."""
WIDE = Decimal("0.2")
"""From this depth on equal ratios are proposed: equal distances would be steps of another size at its far end."""
_NICE = tuple(Decimal(digits) for digits in ("1", "1.5", "2", "2.5", "3", "4", "5", "6", "8", "10"))


class Shape(Enum):
    """Where the levels of a ladder may lie."""

    WINDOW = "window"
    """It follows the price, up and down, without an end."""
    RANGE = "range"
    """Between two prices, and nowhere else."""


class Appetite(Enum):
    """How much is risked for how much: leverage, how many usual days the ladder survives, and the day's loss."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def leverage(self) -> int:
        """Return the leverage proposed."""
        return {Appetite.LOW: 1, Appetite.MEDIUM: 2, Appetite.HIGH: 3}[self]

    @property
    def days(self) -> int:
        """Return how many usual days against the grid its ladder is deep."""
        return {Appetite.LOW: 5, Appetite.MEDIUM: 3, Appetite.HIGH: 2}[self]

    @property
    def daily_loss(self) -> Decimal:
        """Return the part of the funds at whose loss entries stop for the day."""
        return {Appetite.LOW: Decimal("0.05"), Appetite.MEDIUM: Decimal("0.1"), Appetite.HIGH: Decimal("0.2")}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """How far the price usually goes: high to low as fractions of the close, within a candle and within a day."""

    candles: int
    candle_ms: int
    candle_range: Decimal
    day_range: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A ladder to begin with. `interval` and `amount` in quote currency, `depth` as a fraction of the price."""

    interval: Decimal
    ratio: Decimal
    amount: Decimal
    buy_window: int
    max_lots: int
    leverage: int
    depth: Decimal
    break_even: Decimal
    low: Decimal
    high: Decimal
    """The two prices of a range: as deep as the ladder on its side of the price, and half as far on the other."""
    grids: int

    @property
    def spacing(self) -> Spacing:
        """Return the kind of steps that suits the ladder."""
        return Spacing.GEOMETRIC if self.depth >= WIDE else Spacing.ARITHMETIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user wants of one symbol. `funds` in quote currency, all of it for this symbol."""

    side: GridSide
    appetite: Appetite
    funds: Decimal
    leverage: int
    lots_max: int = LOTS_MAX


def movement(candles: Sequence[Candle]) -> Movement | None:
    """Return the usual movement over the closed candles; None where there are too few to say."""
    closed = [candle for candle in candles if candle.is_closed and candle.close > 0]
    if len(closed) < CANDLES_MIN:
        return None
    length_ms = closed[0].close_ms + 1 - closed[0].open_ms
    mean = sum(((one.high - one.low) / one.close for one in closed), Decimal(0)) / len(closed)
    if not mean:
        return None
    # A walk goes as far as the root of its time: the day's range follows from the candle's.
    day = mean * (Decimal(DAY_MS) / length_ms).sqrt()
    return Movement(candles=len(closed), candle_ms=length_ms, candle_range=mean, day_range=day)


def propose(instrument: Instrument, price: int, maker_fee: Decimal, moved: Movement, wish: Wish) -> Proposal:
    """Return a ladder at the price (ticks); raises `ConfigError`, naming funds that work, where these buy none."""
    at, sign = instrument.price(price), wish.side.sign
    depth = min(DEPTH_MAX, moved.day_range * wish.appetite.days)
    even = break_even_ticks(price, maker_fee, sign)
    wanted = max(Decimal(even * STEP_OVER_FEES), price * moved.candle_range * STEP_OF_CANDLE)
    lots = _between(LOTS_MIN, int((depth * price / wanted).to_integral_value(rounding=ROUND_CEILING)), wish.lots_max)
    least = _least_amount(int(price * RISE), instrument)
    share = (Decimal(1) / wish.leverage + UPKEEP * (1 + depth)) * MARGIN_FACTOR
    affordable = wish.funds * RESERVE / share
    if affordable < least * LOTS_MIN:
        needed = (least * LOTS_MIN * share / RESERVE).quantize(Decimal(1), rounding=ROUND_CEILING)
        rule = f"buy fewer than {LOTS_MIN} lots of {instrument.symbol} at {wish.leverage}x; {needed} work"
        raise ConfigError("--funds", wish.funds, rule)
    # Small orders count against an account: rather fewer of a size that does not, where the funds hold so many.
    if (sound := _least_amount(int(price * RISE), instrument, DUST_NOTIONAL)) * LOTS_MIN <= affordable:
        least = max(least, sound)
    lots = min(lots, int(affordable / least))
    # What the funds cannot hold in lots the step takes over: the ladder stays as deep.
    interval = _nice_above(max(wanted, depth * price / lots, Decimal(2)))
    amount = max(least, _two_digits_below(affordable / lots))
    beyond = -(-lots // 2)
    below, above = (lots, beyond) if sign > 0 else (beyond, lots)
    return Proposal(
        interval=instrument.price(interval),
        ratio=(1 + Decimal(interval) / price).quantize(Decimal("1e-6"), rounding=ROUND_CEILING),
        amount=amount,
        buy_window=min(WINDOW_MAX, lots),
        max_lots=lots,
        leverage=wish.leverage,
        depth=(lots * instrument.price(interval) / at).quantize(Decimal("1e-4")),
        break_even=instrument.price(even),
        low=instrument.price(max(1, price - below * interval)),
        high=instrument.price(price + above * interval),
        grids=below + above,
    )


def _least_amount(highest: int, instrument: Instrument, notional_min: Decimal = Decimal(0)) -> Decimal:
    """Return an amount that buys a valid order at every price up to `highest`, to three digits.

    Rounding down takes less than one step, and a step costs most at the highest price.
    """
    per_step = instrument.notional(highest, 1)
    least = max(max(instrument.notional_min, notional_min) + per_step, per_step * instrument.quantity_min)
    unit = Decimal(10) ** (least.adjusted() - 2)
    return Decimal(f"{(least / unit).to_integral_value(rounding=ROUND_CEILING) * unit:f}")


def _between(low: int, wanted: int, high: int) -> int:
    return max(min(low, high), min(wanted, high))


def _nice_above(ticks: Decimal) -> int:
    """Return the next whole number of ticks that people would write: 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 and their tens."""
    ten = Decimal(10) ** ticks.adjusted()
    for digits in _NICE:
        nice = digits * ten
        if nice >= ticks and nice == nice.to_integral_value():
            return int(nice)
    raise AssertionError(f"{ticks} lies between 1 and 10 of its own power of ten")


def _two_digits_below(amount: Decimal) -> Decimal:
    unit = Decimal(10) ** (amount.adjusted() - 1)
    return Decimal(f"{(amount / unit).to_integral_value(rounding=ROUND_FLOOR) * unit:f}")
