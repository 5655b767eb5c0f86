"""One symbol's ladder, and what the account may risk on all of them together."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from actors.settings.breakers import BreakerSettings
from actors.settings.fields import PLACE, Exact, Section, broken, fraction
from actors.settings.stop import StopSettings
from grid.bounded import PriceRange, TrailLimit
from grid.ladder import GridSide, Spacing
from grid.neutral import GridKind
from grid.opening import OpeningRule


class MarginType(Enum):
    """Whether a position's margin is shared with the account or its own."""

    CROSS = "cross"
    ISOLATED = "isolated"


class AdoptedLot(Section):
    """One lot of a position that is taken over: what was paid a coin, how much, and where to sell it."""

    price: Exact = Field(gt=0, description="price at which it was bought (sold, in a short grid), in USDT")
    quantity: Exact = Field(gt=0, description="how much of it, in coins; whole steps of the venue")
    target: Exact | None = Field(
        None, gt=0, description="price at which it is sold again; left out, that of the next level"
    )


class RangeSettings(Section):
    """The two prices that a bounded grid works between, and into how many steps they are divided."""

    low: Exact = Field(gt=0, description="lowest price of the grid, in USDT")
    high: Exact = Field(gt=0, description="highest price of the grid, in USDT")
    grids: int = Field(ge=2, le=5000, description="steps from low to high: so many levels can hold a lot")

    @model_validator(mode="after")
    def _rules(self) -> RangeSettings:
        if self.high <= self.low:
            broken([("high", self.high, f"has to be above low, {self.low}")])
        return self


class TrailSettings(Section):
    """The two prices up to which the window of a sliding grid follows the price."""

    low: Exact | None = Field(None, gt=0, description="no level below this price, in USDT; left out: no limit")
    high: Exact | None = Field(None, gt=0, description="no level or target above this price, in USDT; likewise")

    @model_validator(mode="after")
    def _rules(self) -> TrailSettings:
        if self.low is None and self.high is None:
            broken([("low and high", "(missing)", "name at least one of them; without trail_limit there is no limit")])
        if self.low is not None and self.high is not None and self.high <= self.low:
            broken([("high", self.high, f"has to be above low, {self.low}")])
        return self


class OpenSettings(Section):
    """The position that a new grid begins with: the lots of the levels over the price."""

    levels: int | None = Field(
        None, ge=1, le=5000, description="so many levels over the price; left out: all that the grid has there"
    )
    slippage: Annotated[Exact, BeforeValidator(fraction)] = Field(
        Decimal("0.002"), gt=0, le=Decimal("0.05"), description="most beyond the mark price that is paid, as a fraction"
    )


class SymbolSettings(BreakerSettings):
    """The ladder of one symbol. Prices and amounts in the quote asset (USDT)."""

    symbol: str = Field(
        pattern=r"^[A-Z0-9][A-Z0-9_-]{1,29}$",
        description="the venue's name of the contract, e.g. ETHUSDT",
        json_schema_extra={"rule": "has to be the venue's own name in capitals, e.g. ETHUSDT"},
    )
    side: GridKind = Field(
        GridKind.LONG,
        description="long buys below the price, short sells above it, neutral is long under anchor and short over it",
    )
    spacing: Spacing = Field(Spacing.ARITHMETIC, description="arithmetic uses interval, geometric uses ratio")
    interval: Exact | None = Field(None, gt=0, description="distance between levels, in USDT; whole ticks")
    ratio: Exact | None = Field(
        None, ge=Decimal("1.0001"), le=2, description="each level is this times the one below, e.g. 1.002"
    )
    range: RangeSettings | None = Field(
        None, description="a grid between two prices, in place of interval, ratio and anchor; left out: it slides"
    )
    trail_limit: TrailSettings | None = Field(
        None, description="prices up to which the window follows the price; left out: it follows for ever"
    )
    anchor: Exact | None = Field(
        None,
        gt=0,
        description="price of level 0, of a neutral grid its start price, in USDT; else the first price seen",
    )
    amount: Exact = Field(gt=0, description="notional of one entry, in USDT; rounded down to the venue's step")
    buy_window: int = Field(ge=1, le=200, description="entry levels kept on the near side of the price, in levels")
    sell_window: int | None = Field(
        None, ge=1, le=200, description="exits placed up to so many levels beyond the price; else as many as fit"
    )
    entry_slack: int = Field(
        1, ge=0, le=50, description="an entry stays while at most so many levels out of the window"
    )
    max_lots: int = Field(ge=1, le=10000, description="most lots held at once, live entries counted")
    leverage: int | None = Field(
        None, ge=1, le=125, description="set at start for the whole symbol; left out, the venue's setting stays"
    )
    margin_type: MarginType | None = Field(
        None, description="set at start for the whole symbol; left out, the venue's setting stays"
    )
    min_rest_s: Exact = Field(
        Decimal(5), ge=0, le=600, description="an entry rests so long before a move cancels it, in s"
    )
    exit_taker: bool = Field(False, description="let an exit that was refused as maker take, at the taker fee")
    existing_position: Literal["refuse", "ignore", "adopt"] = Field(
        "refuse",
        description="a position that the journal does not know: refuse the start, leave it as foreign, or adopt it",
    )
    adopted_lots: tuple[AdoptedLot, ...] = Field(
        (), max_length=10000, description="with adopt: the lots of that position; what they leave over is foreign"
    )

    place: str | None = Field(
        None,
        pattern=PLACE,
        description="custom resource of the nodes on which feed and slots live together; left out, anywhere",
        json_schema_extra={"rule": "has to be a name of letters, digits, _ and -"},
    )

    countdown_s: Exact | None = Field(
        None,
        ge=10,
        le=600,
        description="the venue cancels the symbol's orders unless it hears from us for so long, in s",
    )
    cancels_manual_orders: bool = Field(
        False, description="consent: the countdown would cancel orders of other hands on the symbol too"
    )

    exchange_stop: StopSettings | None = Field(
        None, description="a stop at the venue that closes the position beyond the ladder; left out: none"
    )

    stop_price: Exact | None = Field(
        None, gt=0, description="mark price at which the whole grid ends with its loss, in USDT; left out: none"
    )
    take_profit_price: Exact | None = Field(
        None, gt=0, description="mark price at which the whole grid has reached its goal and ends, in USDT"
    )

    trigger_price: Exact | None = Field(
        None, gt=0, description="mark price at which the grid begins, in USDT; left out: at once"
    )

    open_position: OpenSettings | None = Field(
        None,
        description="at its creation the grid buys the lots of levels over the price; left out: it begins with none",
    )

    @property
    def opening(self) -> OpeningRule | None:
        """Return what a new grid buys at once, None where nothing."""
        if self.open_position is None:
            return None
        return OpeningRule(levels=self.open_position.levels, slippage=self.open_position.slippage)

    @property
    def is_neutral(self) -> bool:
        """Whether the grid has both sides."""
        return self.side is GridKind.NEUTRAL

    @property
    def way(self) -> GridSide | None:
        """Return the one side of the grid, None where it has both."""
        return None if self.is_neutral else GridSide(self.side.value)

    @property
    def price_range(self) -> PriceRange | None:
        """Return the range of a bounded grid, None where the window slides."""
        if self.range is None:
            return None
        return PriceRange(symbol=self.symbol, low=self.range.low, high=self.range.high, count=self.range.grids)

    @property
    def limit(self) -> TrailLimit | None:
        """Return the limits of a window that slides, None where it has none."""
        if self.trail_limit is None:
            return None
        return TrailLimit(symbol=self.symbol, low=self.trail_limit.low, high=self.trail_limit.high)

    @property
    def end_prices(self) -> tuple[Decimal | None, Decimal | None]:
        """Return the prices at which the whole grid ends."""
        return self.stop_price, self.take_profit_price

    @property
    def trips_otherwise(self) -> bool:
        """Whether the exchange-side stop may trip the symbol's stop-loss."""
        return self.exchange_stop is not None

    def _end_keys(self) -> tuple[str, ...]:
        """Return the keys of `end_prices`."""
        return "stop_price", "take_profit_price"

    @model_validator(mode="after")
    def _rules(self) -> SymbolSettings:
        broken(self._broken())
        return self

    def _broken(self) -> list[tuple[str, object, str]]:
        wanted, other = ("interval", "ratio") if self.spacing is Spacing.ARITHMETIC else ("ratio", "interval")
        found = self.broken_breakers()
        if self.countdown_s is not None and not self.cancels_manual_orders:
            rule = "needs cancels_manual_orders: true, since it cancels everything on the symbol, our exits too"
            found.append(("countdown_s", self.countdown_s, rule))
        stop, goal, sign = self.stop_price, self.take_profit_price, self.way.sign if self.way is not None else 0
        if stop is not None and goal is not None and sign and (goal - stop) * sign <= 0:
            where = "below" if sign > 0 else "above"
            found.append(
                ("stop_price", stop, f"has to lie {where} take_profit_price, {goal}, in a {self.side.value} grid")
            )
        found += self._broken_neutral()
        if self.open_position is not None:
            found += self._broken_opening(self.open_position)
        if self.trigger_price is not None:
            found += self._broken_trigger(self.trigger_price)
        if (self.existing_position == "adopt") != bool(self.adopted_lots):
            rule = "belong together: adopt takes over the lots that are listed, and no others"
            found.append(("existing_position and adopted_lots", self.existing_position, rule))
        if len(self.adopted_lots) > self.max_lots:
            found.append(("adopted_lots", f"{len(self.adopted_lots)} lots", f"are more than max_lots, {self.max_lots}"))
        if self.range is not None:
            keys = ("interval", "ratio", "trail_limit") if self.is_neutral else _SLIDING
            given = [key for key in keys if getattr(self, key) is not None]
            rule = "has no meaning with range, which says where the levels lie; leave it out"
            found += [(key, _shown(getattr(self, key)), rule) for key in given]
            if self.max_lots > self.range.grids:
                rule = f"can be at most range.grids, {self.range.grids}: no more levels can hold a lot"
                found.append(("max_lots", self.max_lots, rule))
            return found
        if getattr(self, wanted) is None:
            found.append((wanted, "(missing)", f"is required for {self.spacing.value} spacing"))
        if getattr(self, other) is not None:
            found.append(
                (other, getattr(self, other), f"has no meaning for {self.spacing.value} spacing; leave it out")
            )
        return found

    def _broken_neutral(self) -> list[tuple[str, object, str]]:
        """Return what a grid with two sides lacks, or what has a meaning for one side only."""
        if not self.is_neutral:
            return []
        found: list[tuple[str, object, str]] = []
        if self.range is None:
            found.append(("range", "(missing)", "is required for a neutral grid: the prices between which it works"))
        elif self.anchor is not None and not self.range.low < self.anchor < self.range.high:
            rule = f"the start price of a neutral grid has to lie between {self.range.low} and {self.range.high}"
            found.append(("anchor", self.anchor, rule))
        for key, instead in _ONE_SIDED.items():
            if getattr(self, key) is not None:
                rule = f"has no meaning for a neutral grid, which is long and short by turns; {instead}"
                found.append((key, _shown(getattr(self, key)), rule))
        if self.exchange_stop is not None and self.exchange_stop.price is not None:
            rule = "lies on one side only; a neutral grid takes a distance, from the end of the side that works"
            found.append(("exchange_stop.price", self.exchange_stop.price, rule))
        if self.existing_position == "adopt":
            rule = "cannot be adopted by a neutral grid: its lots would be of one side; close it, or say ignore"
            found.append(("existing_position", self.existing_position, rule))
        return found

    def _broken_opening(self, opening: OpenSettings) -> list[tuple[str, object, str]]:
        found: list[tuple[str, object, str]] = []
        far_end = "high" if self.way is GridSide.LONG else "low"
        has_end = self.range is not None or getattr(self.trail_limit, far_end, None) is not None
        if opening.levels is None and not has_end:
            rule = f"is required where the grid has no end on that side (range, or trail_limit.{far_end})"
            found.append(("open_position.levels", "(missing)", rule))
        if opening.levels is not None and opening.levels > self.max_lots:
            rule = f"can be at most max_lots, {self.max_lots}"
            found.append(("open_position.levels", opening.levels, rule))
        if self.existing_position == "adopt":
            rule = "has no meaning with existing_position: adopt, which says what the grid begins with; use one of them"
            found.append(("open_position", "(given)", rule))
        return found

    def _broken_trigger(self, trigger: Decimal) -> list[tuple[str, object, str]]:
        """Return the ends of the grid at which a grid that begins there would be at once."""
        ends = (("stop_price", self.stop_price, 1), ("take_profit_price", self.take_profit_price, -1))
        return [
            ("trigger_price", trigger, f"lies at or beyond {key}, {end}: the grid would end as it begins")
            for key, end, way in ends
            if end is not None and self.way is not None and (trigger - end) * way * self.way.sign <= 0
        ]


_SLIDING = ("interval", "ratio", "anchor", "trail_limit")
_ONE_SIDED = {
    "stop_price": "stop_loss and exchange_stop end it on either side",
    "take_profit_price": "take_profit_arm ends it on either side",
    "open_position": "leave it out: it begins with nothing on either side",
}


def _shown(value: object) -> object:
    if isinstance(value, OpenSettings):
        return "(given)"
    return f"{value.low} to {value.high}" if isinstance(value, TrailSettings) else value


class AccountSettings(BreakerSettings):
    """What the account may lose or hold, over all symbols; amounts in USDT."""

    max_notional: Exact = Field(gt=0, description="most notional of lots and live entries over all symbols, in USDT")
    daily_loss: Exact = Field(
        gt=0,
        description="loss since midnight UTC at which entries stop for the day, in USDT; released as a stop-loss is",
    )
    max_orders: int = Field(50, ge=2, le=195, description="own open orders on one symbol; exits come before entries")
    drawdown: Exact | None = Field(
        None, gt=0, lt=1, description="fall of equity from its peak that halts, as a fraction"
    )
    unexplained_max: Exact = Field(
        Decimal(1), gt=0, description="equity that the book does not explain, beyond which a warning is said, in USDT"
    )

    @property
    def trips_otherwise(self) -> bool:
        """The day's loss is always limited."""
        return True

    @model_validator(mode="after")
    def _rules(self) -> AccountSettings:
        broken(self.broken_breakers())
        return self
