"""Windows in which a simulated venue counts requests, and its rule for who goes on over the limit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

DAY_MS = 24 * 3600 * 1000


class Kind(Enum):
    WEIGHT = "REQUEST_WEIGHT"
    ORDERS = "ORDERS"


class Interval(Enum):
    SECOND = ("SECOND", "S", 1000)
    MINUTE = ("MINUTE", "M", 60_000)

    @property
    def word(self) -> str:
        return self.value[0]

    @property
    def letter(self) -> str:
        return self.value[1]

    @property
    def length_ms(self) -> int:
        return self.value[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    kind: Kind
    interval: Interval
    number: int
    limit: int

    @property
    def length_ms(self) -> int:
        return self.interval.length_ms * self.number

    @property
    def label(self) -> str:
        return f"{self.number}{self.interval.letter}"

    def rendered(self) -> dict[str, object]:
        return {
            "rateLimitType": self.kind.value,
            "interval": self.interval.word,
            "intervalNum": self.number,
            "limit": self.limit,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BanRule:
    """After `strikes` refusals in one weight window the address is banned for `first_ms`, doubling to `longest_ms`."""

    strikes: int = 10
    first_ms: int = 120_000
    longest_ms: int = 3 * DAY_MS
