"""Numbers for people: rounded, never with an exponent. JSON keeps what was meant exactly."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

CENTS = Decimal("0.01")
CENTS_FROM = 100


def money(value: object) -> str:
    """Return an amount in cents from 100 on, else with up to four decimals; none is a hyphen."""
    amount = _number(value)
    if amount is None:
        return "-" if value is None or value == "" else str(value)
    rounded = amount.quantize(CENTS if abs(amount) >= CENTS_FROM else CENTS / 100)
    if rounded == rounded.quantize(CENTS):
        rounded = rounded.quantize(CENTS)
    return f"{rounded:f}" if rounded else "0"


def plain(value: object) -> str:
    """Return a price or a quantity with every digit it was written with, without an exponent."""
    number = _number(value)
    if number is None:
        return "-" if value is None or value == "" else str(value)
    return f"{number:f}" if number else "0"


def lots(count: int) -> str:
    """Return so many lots in words."""
    return counted(count, "lot", "lots")


def counted(count: int, one: str, many: str) -> str:
    """Return a number with its noun: `1 entry`, `2 entries`."""
    return f"{count} {verb(count, one, many)}"


def verb(count: int, one: str, many: str) -> str:
    """Return the form of a verb that goes with so many."""
    return one if count == 1 else many


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        number = Decimal(value)
        return number if number.is_finite() and abs(number.adjusted()) <= 20 else None
    except InvalidOperation:
        return None
