"""One symbol of the venue: its filters, precisions, fees and maintenance tiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

MONEY_SCALE = 100_000_000
"""Money inside the engine is whole 1e-8 of the asset: the venue's own finest unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """One maintenance tier: from `notional_floor` (over) to `notional_cap` (at most), in quote currency.

    Maintenance margin of a notional inside it = notional * rate - cum.
    """

    number: int
    leverage_max: int
    notional_floor: Decimal
    notional_cap: Decimal
    rate: Decimal
    cum: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SimInstrument:
    """A symbol as `exchangeInfo` states it; `raw` is that entry, unchanged, so that it can be printed back.

    Prices are ticks and quantities steps unless a name says otherwise. `unit` is the money (1e-8) of one tick times
    one step.
    """

    raw: Mapping[str, Any] = field(repr=False)
    symbol: str
    base: str
    quote: str
    status: str
    tick: Decimal
    step: Decimal
    price_precision: int
    quantity_precision: int
    price_min: int
    price_max: int
    quantity_min: int
    quantity_max: int
    market_quantity_max: int
    notional_min: Decimal
    percent_up: Decimal
    percent_down: Decimal
    orders_max: int
    algo_orders_max: int
    market_take_bound: Decimal
    liquidation_fee: Decimal
    maker_fee: Decimal
    taker_fee: Decimal
    brackets: tuple[Bracket, ...]
    unit: int

    @classmethod
    def from_exchange_info(
        cls,
        raw: Mapping[str, Any],
        *,
        brackets: Sequence[Bracket] = (),
        maker_fee: Decimal = Decimal("0.0002"),
        taker_fee: Decimal = Decimal("0.0005"),
    ) -> SimInstrument:
        """Read one entry of `exchangeInfo.symbols`.

        Without `brackets` a table in the venue's usual shape is taken (125x to 50,000 quote units, then rarer air).
        Raises `ValueError` where tick times step is no whole number of 1e-8: such money could not be counted exactly.
        """
        filters = {entry["filterType"]: entry for entry in raw["filters"]}
        tick = Decimal(filters["PRICE_FILTER"]["tickSize"])
        step = Decimal(filters["LOT_SIZE"]["stepSize"])
        unit = tick * step * MONEY_SCALE
        if unit != int(unit) or unit <= 0:
            raise ValueError(f"{raw['symbol']}: tick {tick} times step {step} is no whole number of 1e-8")
        percent = filters.get("PERCENT_PRICE", {"multiplierUp": "1000", "multiplierDown": "0"})
        return cls(
            raw=raw,
            symbol=raw["symbol"],
            base=raw["baseAsset"],
            quote=raw["marginAsset"],
            status=raw["status"],
            tick=tick,
            step=step,
            price_precision=raw["pricePrecision"],
            quantity_precision=raw["quantityPrecision"],
            price_min=int(Decimal(filters["PRICE_FILTER"]["minPrice"]) / tick),
            price_max=int(Decimal(filters["PRICE_FILTER"]["maxPrice"]) / tick),
            quantity_min=int(Decimal(filters["LOT_SIZE"]["minQty"]) / step),
            quantity_max=int(Decimal(filters["LOT_SIZE"]["maxQty"]) / step),
            market_quantity_max=int(Decimal(filters.get("MARKET_LOT_SIZE", filters["LOT_SIZE"])["maxQty"]) / step),
            notional_min=Decimal(filters.get("MIN_NOTIONAL", {"notional": "0"})["notional"]),
            percent_up=Decimal(percent["multiplierUp"]),
            percent_down=Decimal(percent["multiplierDown"]),
            orders_max=int(filters.get("MAX_NUM_ORDERS", {"limit": 200})["limit"]),
            algo_orders_max=int(filters.get("MAX_NUM_ALGO_ORDERS", {"limit": 10})["limit"]),
            market_take_bound=Decimal(raw.get("marketTakeBound", "0.05")),
            liquidation_fee=Decimal(raw.get("liquidationFee", "0.01")),
            maker_fee=maker_fee,
            taker_fee=taker_fee,
            brackets=tuple(brackets) or usual_brackets(),
            unit=int(unit),
        )

    @property
    def trading(self) -> bool:
        """Whether new orders are taken at all."""
        return self.status == "TRADING"

    def with_status(self, status: str) -> SimInstrument:
        """Return the instrument with another status, in `raw` too."""
        return replace(self, status=status, raw={**self.raw, "status": status})

    def price(self, ticks: int) -> Decimal:
        """Return the price of so many ticks."""
        return self.tick * ticks

    def quantity(self, steps: int) -> Decimal:
        """Return the quantity of so many steps."""
        return self.step * steps

    def ticks(self, price: Decimal) -> int:
        """Return the price as whole ticks, to the nearest (ties to even): for recorded prices, never for orders."""
        return int((price / self.tick).to_integral_value(ROUND_HALF_EVEN))

    def steps(self, quantity: Decimal) -> int:
        """Return the quantity as whole steps, to the nearest (ties to even): for recorded sizes, never for orders."""
        return int((quantity / self.step).to_integral_value(ROUND_HALF_EVEN))

    def notional_units(self, ticks: int, steps: int) -> int:
        """Return price times quantity in money units (1e-8), exactly."""
        return ticks * steps * self.unit

    def bracket(self, notional: Decimal) -> Bracket:
        """Return the tier of an absolute notional; the last one above every cap."""
        for bracket in self.brackets:
            if notional <= bracket.notional_cap:
                return bracket
        return self.brackets[-1]


def usual_brackets() -> tuple[Bracket, ...]:
    """Return a tier table of the venue's usual shape; each `cum` makes the margin continuous at its floor."""
    shape = (
        (125, "50000", "0.004"),
        (100, "600000", "0.005"),
        (75, "3000000", "0.0065"),
        (50, "12000000", "0.01"),
        (25, "70000000", "0.02"),
        (20, "100000000", "0.025"),
        (10, "230000000", "0.05"),
        (5, "480000000", "0.1"),
        (4, "600000000", "0.125"),
        (3, "800000000", "0.15"),
        (2, "1200000000", "0.25"),
        (1, "1800000000", "0.5"),
    )
    brackets: list[Bracket] = []
    floor, rate_before, cum = Decimal(0), Decimal(0), Decimal(0)
    for number, (leverage_max, cap, rate_text) in enumerate(shape, 1):
        rate = Decimal(rate_text)
        cum += floor * (rate - rate_before) if number > 1 else Decimal(0)
        brackets.append(
            Bracket(
                number=number,
                leverage_max=leverage_max,
                notional_floor=floor,
                notional_cap=Decimal(cap),
                rate=rate,
                cum=cum,
            )
        )
        floor, rate_before = Decimal(cap), rate
    return tuple(brackets)
