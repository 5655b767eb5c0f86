"""Client order ids that decode without a database.

At most 28 characters of `[A-Za-z0-9]`, never starting with `t`, never reused: the narrowest rule of all venues.
Layout (base 62, fixed width): `g`, journal 4, symbol check 3, generation 2, level 4, purpose 1, owner epoch 3,
sequence 5, check 2. The symbol itself is not spelt out since every venue states it beside the id; three characters
prove that it is the same.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from grid.errors import GridmeshError
from grid.order import Purpose

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUE = {digit: value for value, digit in enumerate(_DIGITS)}
_LEVEL_ZERO = 62**4 // 2
_LENGTH = 25
JOURNAL_ID_LENGTH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientId:
    """What an id says. `level` is the index in its generation; `owner_epoch` is who wrote it."""

    journal: str
    symbol: str
    generation: int
    level: int
    purpose: Purpose
    owner_epoch: int
    sequence: int

    def encode(self) -> str:
        """Return the id as the venue gets it; raises `GridmeshError` where a part is out of its range."""
        if len(self.journal) != JOURNAL_ID_LENGTH or any(c not in _VALUE for c in self.journal):
            raise GridmeshError(f"journal id {self.journal!r} must be {JOURNAL_ID_LENGTH} letters or digits")
        body = "".join(
            (
                "g",
                self.journal,
                _symbol_check(self.symbol),
                _base62(self.generation, 2),
                _base62(self.level + _LEVEL_ZERO, 4),
                self.purpose.value,
                _base62(self.owner_epoch, 3),
                _base62(self.sequence, 5),
            )
        )
        return body + _check(body)


def decode(text: str, symbol: str) -> ClientId | None:
    """Return what the id says, or None where it is not one of ours for this symbol."""
    if len(text) != _LENGTH or text[0] != "g" or any(c not in _VALUE for c in text):
        return None
    body, check = text[:-2], text[-2:]
    if _check(body) != check or body[5:8] != _symbol_check(symbol):
        return None
    try:
        purpose = Purpose(body[14])
    except ValueError:
        return None
    return ClientId(
        journal=body[1:5],
        symbol=symbol,
        generation=_number(body[8:10]),
        level=_number(body[10:14]) - _LEVEL_ZERO,
        purpose=purpose,
        owner_epoch=_number(body[15:18]),
        sequence=_number(body[18:23]),
    )


def _base62(value: int, width: int) -> str:
    if not 0 <= value < 62**width:
        raise GridmeshError(f"{value} does not fit {width} characters of a client order id")
    digits = []
    for _ in range(width):
        value, rest = divmod(value, 62)
        digits.append(_DIGITS[rest])
    return "".join(reversed(digits))


def _number(text: str) -> int:
    value = 0
    for digit in text:
        value = value * 62 + _VALUE[digit]
    return value


def _symbol_check(symbol: str) -> str:
    return _base62(zlib.crc32(symbol.encode()) % 62**3, 3)


def _check(body: str) -> str:
    return _base62(zlib.crc32(body.encode()) % 62**2, 2)
