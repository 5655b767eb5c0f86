"""Reading the venue's JSON: each field is taken by name and kind, and a wrong one is named."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any

import orjson

from exchanges.errors import BadReply
from grid.instrument import Instrument, OffGrid

Row = dict[str, Any]
Instruments = dict[str, Instrument]

TEXT_LENGTH_MAX = 1000
SHOWN_MAX = 80
WHOLE_MAX = 2**63 - 1
"""Largest whole number that the journal's store holds; times, ids and counts of the venue are far below."""
EXPONENT_MAX = 15
EXPONENT_MIN = -24
DIGITS_MAX = 40
"""Prices, quantities and amounts lie between 1e-24 and 1e16: beyond, exact arithmetic would no longer be exact."""


class UnknownSymbol(BadReply):
    """The message names a symbol that was not listed when the rules were read: read them again."""


def decode(raw: bytes | str, where: str) -> Any:
    """Return the decoded JSON; raises `BadReply` where it is none (cut short, a page of a proxy)."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadReply(f"{where}: no JSON ({error.msg})") from None


def mapping(value: Any, where: str) -> Row:
    """Return the value as an object."""
    if not isinstance(value, dict):
        raise BadReply(f"{where}: expected an object, got {type(value).__name__}")
    return value


def sequence(value: Any, where: str) -> list[Any]:
    """Return the value as a list."""
    if not isinstance(value, list):
        raise BadReply(f"{where}: expected a list, got {type(value).__name__}")
    return value


def text(row: Row, key: str, where: str) -> str:
    """Return a text field."""
    value = _field(row, key, where)
    if not isinstance(value, str):
        raise BadReply(f"{where}.{key}: expected text, got {shown(value)}")
    if len(value) > TEXT_LENGTH_MAX:
        raise BadReply(f"{where}.{key}: expected a name, got {len(value)} characters")
    return value


def integer(row: Row, key: str, where: str) -> int:
    """Return a whole number, given as a number or as text."""
    value = _field(row, key, where)
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            raise BadReply(f"{where}.{key}: expected a whole number, got {shown(value)}") from None
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > WHOLE_MAX:
        raise BadReply(f"{where}.{key}: expected a whole number, got {shown(value)}")
    return value


def count(row: Row, key: str, where: str) -> int:
    """Return a whole number above 0."""
    value = integer(row, key, where)
    if value < 1:
        raise BadReply(f"{where}.{key}: expected more than 0, got {value}")
    return value


def flag(row: Row, key: str, where: str) -> bool:
    """Return a boolean field."""
    value = _field(row, key, where)
    if not isinstance(value, bool):
        raise BadReply(f"{where}.{key}: expected true or false, got {shown(value)}")
    return value


def parts(whole: Decimal, part: Decimal) -> int:
    """Return how many parts it takes at least to make up the whole.

    The quotient of two decimals is cut towards zero, whatever its sign, so that it has to be rounded up.
    """
    return int((whole / part).to_integral_value(ROUND_CEILING))


def decimal(row: Row, key: str, where: str) -> Decimal:
    """Return an exact number. Bare JSON numbers (margin ratios) are read by their shortest text."""
    return exact(_field(row, key, where), f"{where}.{key}")


def exact(value: Any, where: str) -> Decimal:
    """Return the value as a finite `Decimal` of a size that exact arithmetic holds."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadReply(f"{where}: expected a number, got {shown(value)}")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise BadReply(f"{where}: expected a number, got {shown(value)}") from None
    if not number.is_finite():
        raise BadReply(f"{where}: expected a finite number, got {shown(value)}")
    is_sound = not number or EXPONENT_MIN <= number.adjusted() <= EXPONENT_MAX
    if not is_sound or len(number.as_tuple().digits) > DIGITS_MAX:
        raise BadReply(f"{where}: expected a price, quantity or amount, got {shown(value)}")
    return number


def instrument_of(instruments: Instruments, row: Row, key: str, where: str) -> Instrument:
    """Return the instrument that the row names."""
    symbol = text(row, key, where)
    found = instruments.get(symbol)
    if found is None:
        raise UnknownSymbol(f"{where}.{key}: no instrument {symbol}")
    return found


def ticks(instrument: Instrument, row: Row, key: str, where: str) -> int:
    """Return a price field in ticks; a price between two ticks is a wrong message."""
    price = decimal(row, key, where)
    try:
        return instrument.ticks(price)
    except (OffGrid, InvalidOperation) as error:
        raise BadReply(f"{where}.{key}: {_grid_words(error, price)}") from None


def steps(instrument: Instrument, row: Row, key: str, where: str) -> int:
    """Return a quantity field in steps; a quantity between two steps is a wrong message."""
    quantity = decimal(row, key, where)
    try:
        return instrument.steps(quantity)
    except (OffGrid, InvalidOperation) as error:
        raise BadReply(f"{where}.{key}: {_grid_words(error, quantity)}") from None


def amount(instrument: Instrument, row: Row, key: str, where: str) -> int:
    """Return a quantity in steps that has no sign of its own: what an order is for, or what of it was filled."""
    found = steps(instrument, row, key, where)
    if found < 0:
        raise BadReply(f"{where}.{key}: expected 0 or more, got {shown(row[key])}")
    return found


def shown(value: Any) -> str:
    """Return what stood there, short enough for a line of a log."""
    words = repr(value) if not isinstance(value, dict | list) else f"a {type(value).__name__}"
    return words if len(words) <= SHOWN_MAX else f"{words[:SHOWN_MAX]}..."


def _grid_words(error: Exception, number: Decimal) -> str:
    return str(error) if isinstance(error, OffGrid) else f"{number} is too large to count"


def _field(row: Row, key: str, where: str) -> Any:
    if key not in row:
        raise BadReply(f"{where}.{key}: missing")
    return row[key]
