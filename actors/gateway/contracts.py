"""Whether the venue trades what the configuration names, and what was probably meant where it does not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from actors.settings.account import Settings
from grid.instrument import Instrument
from risk.plan import Finding, Severity


def complaint(symbol: str, known: Mapping[str, Instrument]) -> str:
    """Return why nothing can be traded or watched under that name, nothing where it can."""
    instrument = known.get(symbol)
    if instrument is None:
        return f"the venue has no such contract{_near(symbol, known)}"
    return "" if instrument.trading else "the venue has closed it for trading"


def watched_findings(settings: Settings, known: Mapping[str, Instrument]) -> list[Finding]:
    """Refuse coins under watch that the venue does not trade: they would count as danger for ever."""
    if not settings.risk.enabled:
        return []
    return [
        Finding(key="risk.watch", value=coin, rule=f"{why}; take it out of risk.watch", severity=Severity.REFUSE)
        for coin in settings.risk.watch
        if (why := complaint(coin, known))
    ]


def _near(symbol: str, known: Iterable[str]) -> str:
    near = ", ".join(difflib.get_close_matches(symbol, list(known), n=3))
    return f"; near to it: {near}" if near else ""
