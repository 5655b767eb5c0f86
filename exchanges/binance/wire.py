"""Reading the venue's JSON: each field is taken by name and kind, and a wrong one is named."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from exchanges.errors import BadReply
from grid.instrument import Instrument, OffGrid

Row = dict[str, Any]
Instruments = dict[str, Instrument]


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
        raise BadReply(f"{where}.{key}: expected text, got {value!r}")
    return value


def integer(row: Row, key: str, where: str) -> int:
    """Return a whole number, given as a number or as text."""
    value = _field(row, key, where)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            raise BadReply(f"{where}.{key}: expected a whole number, got {value!r}") from None
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadReply(f"{where}.{key}: expected a whole number, got {value!r}")
    return value


def flag(row: Row, key: str, where: str) -> bool:
    """Return a boolean field."""
    value = _field(row, key, where)
    if not isinstance(value, bool):
        raise BadReply(f"{where}.{key}: expected true or false, got {value!r}")
    return value


def decimal(row: Row, key: str, where: str) -> Decimal:
    """Return an exact number. Bare JSON numbers (margin ratios) are read by their shortest text."""
    return exact(_field(row, key, where), f"{where}.{key}")


def exact(value: Any, where: str) -> Decimal:
    """Return the value as a finite `Decimal`."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadReply(f"{where}: expected a number, got {value!r}")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise BadReply(f"{where}: expected a number, got {value!r}") from None
    if not number.is_finite():
        raise BadReply(f"{where}: expected a finite number, got {value!r}")
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
    except OffGrid as error:
        raise BadReply(f"{where}.{key}: {error}") from None


def steps(instrument: Instrument, row: Row, key: str, where: str) -> int:
    """Return a quantity field in steps; a quantity between two steps is a wrong message."""
    quantity = decimal(row, key, where)
    try:
        return instrument.steps(quantity)
    except OffGrid as error:
        raise BadReply(f"{where}.{key}: {error}") from None


def _field(row: Row, key: str, where: str) -> Any:
    if key not in row:
        raise BadReply(f"{where}.{key}: missing")
    return row[key]
