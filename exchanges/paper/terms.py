"""On what terms a paper account trades."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

FUNDING_EVERY_MS = 8 * 3600 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What a venue does with orders that it does not want."""

    post_only_cancels: bool = True
    """It takes a post-only order that would take, and cancels it; else it refuses it."""
    reduce_only_strict: bool = False
    """It refuses a closing order beyond the position; else it ends those with the worst price."""


_WAYS = {
    "binanceusdm": Ways(post_only_cancels=False, reduce_only_strict=True),
    "gate": Ways(post_only_cancels=False),
    "hashkey": Ways(post_only_cancels=False, reduce_only_strict=True),
}


def ways_of(venue: str) -> Ways:
    """Return the ways of a venue by its name; what most do, where it was not looked at."""
    return _WAYS.get(venue.rpartition(":")[2], Ways())


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperTerms:
    """What a venue would say of the account, and how far away it is. Rates are fractions of notional.

    `symbols` are traded; `watched` ones only have to exist.
    """

    symbols: tuple[str, ...]
    watched: tuple[str, ...] = ()
    balance: Decimal = Decimal(10_000)
    leverage: int = 5
    maker_fee: Decimal = Decimal("0.0002")
    taker_fee: Decimal = Decimal("0.0005")
    funding_rate: Decimal | None = None
    """Settled every eight hours of the venue's time, at mark; None: by the rate and at the time that it publishes."""
    latency_min_ms: int = 20
    latency_max_ms: int = 80
    """From our decision to the venue's matcher; drawn for each order. What it answers is heard at once."""
    seed: int = 1
    ways: Ways = _WAYS["binanceusdm"]
