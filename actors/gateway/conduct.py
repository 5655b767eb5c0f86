"""What the venue's trading status means for a start, in words (trading rule 13)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from exchanges.port import ConductIndicator


def locked(indicators: Sequence[ConductIndicator]) -> list[str]:
    """Return a sentence for each lock in force."""
    return [_sentence(one) for one in indicators if one.is_locked]


def _sentence(one: ConductIndicator) -> str:
    until = ""
    if one.recovers_ms is not None:
        until = f" until {datetime.fromtimestamp(one.recovers_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    scope = one.symbol or "the account"
    return (
        f"the venue locks {scope}{until}: {one.name} is {one.value}, its bound {one.trigger}; entries will be refused"
    )
