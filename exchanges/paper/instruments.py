"""The engine's instrument from the venue's public rules; what those do not tell is assumed, and `check` says so."""

from __future__ import annotations

from exchanges.errors import NotSupported
from exchanges.paper.terms import PaperTerms
from exchanges.sim.instrument import MONEY_SCALE, SimInstrument, usual_brackets
from grid.instrument import Instrument

LIQUIDATION_FEE_TIMES = 10
"""The fee of a liquidation, in taker fees."""


def sim_instrument(rules: Instrument, terms: PaperTerms) -> SimInstrument:
    """Return the instrument. Raises `NotSupported` where a step at a tick is worth less than can be counted exactly."""
    unit = rules.tick * rules.step * MONEY_SCALE
    if unit != int(unit) or unit <= 0:
        raise NotSupported(f"{rules.symbol} on paper: tick {rules.tick} times step {rules.step} is finer than 1e-8")
    return SimInstrument(
        raw={},
        symbol=rules.symbol,
        base=rules.base,
        quote=rules.quote,
        status="TRADING" if rules.trading else "CLOSE",
        tick=rules.tick,
        step=rules.step,
        price_precision=_decimals(rules.tick),
        quantity_precision=_decimals(rules.step),
        price_min=rules.price_min,
        price_max=rules.price_max,
        quantity_min=rules.quantity_min,
        quantity_max=rules.quantity_max,
        market_quantity_max=rules.quantity_max,
        notional_min=rules.notional_min,
        percent_up=rules.percent_up,
        percent_down=rules.percent_down,
        orders_max=rules.orders_max,
        algo_orders_max=10,
        market_take_bound=max(rules.percent_up - 1, 1 - rules.percent_down),
        liquidation_fee=terms.taker_fee * LIQUIDATION_FEE_TIMES,
        maker_fee=terms.maker_fee,
        taker_fee=terms.taker_fee,
        brackets=usual_brackets(),
        unit=int(unit),
    )


def _decimals(unit: object) -> int:
    exponent = unit.normalize().as_tuple().exponent  # type: ignore[attr-defined]
    return max(0, -int(exponent))
