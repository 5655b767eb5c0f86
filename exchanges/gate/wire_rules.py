"""The list of contracts to instruments in base currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply
from exchanges.gate.contracts import QUOTE, SEPARATOR, Contract, Contracts, symbol_of
from grid.instrument import Instrument

UNIT_MIN = Decimal("1e-12")
PRICE_MAX = Decimal("1e9")
"""The venue states no largest price; this is above every one."""
WHOLE = Decimal(1)


def contracts(message: Any) -> Contracts:
    """Return the contracts by the venue's name: those settled and quoted in one asset, without an end."""
    found: Contracts = {}
    for value in wire.sequence(message, "contracts"):
        row = wire.mapping(value, "contracts")
        name = wire.text(row, "name", "contracts")
        if name.endswith(SEPARATOR + QUOTE) and name.count(SEPARATOR) == 1:
            found[name] = contract(row)
    return found


def contract(row: wire.Row) -> Contract:
    """Return one contract.

    A size that is a whole number of contracts is a whole number of steps: one step is one contract's base currency, or
    that of its smallest part where the venue trades parts. There is no smallest notional.
    """
    name = wire.text(row, "name", "contracts")
    multiplier, tick = _unit(row, "quanto_multiplier", name), _unit(row, "order_price_round", name)
    unit = _size_unit(row, name)
    deviation = wire.decimal(row, "order_price_deviate", name)
    instrument = Instrument(
        symbol=symbol_of(name),
        base=name.removesuffix(SEPARATOR + QUOTE),
        quote=QUOTE,
        tick=tick,
        step=multiplier * unit,
        price_min=1,
        price_max=int(PRICE_MAX // tick),
        quantity_min=max(1, wire.parts(wire.decimal(row, "order_size_min", name), unit)),
        quantity_max=int(wire.decimal(row, "order_size_max", name) // unit),
        notional_min=Decimal(0),
        percent_up=1 + deviation,
        percent_down=max(Decimal(0), 1 - deviation),
        orders_max=wire.count(row, "orders_limit", name),
        trading=not wire.flag(row, "in_delisting", name) and row.get("status", "trading") == "trading",
    )
    return Contract(name=name, instrument=instrument, unit=unit)


def _size_unit(row: wire.Row, name: str) -> Decimal:
    """Return the smallest part of a contract that can be traded: one, or a power of ten below it."""
    smallest = wire.decimal(row, "order_size_min", name)
    if row.get("enable_decimal") is not True or not 0 < smallest < 1:
        return WHOLE
    exponent = smallest.normalize().as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= 0:
        raise BadReply(f"{name}.order_size_min: expected a part of a contract, got {smallest}")
    return WHOLE.scaleb(exponent)


def _unit(row: wire.Row, key: str, name: str) -> Decimal:
    unit = wire.decimal(row, key, name)
    if unit < UNIT_MIN:
        raise BadReply(f"{name}.{key}: expected at least {UNIT_MIN:f}, got {unit}")
    return unit
