"""Where a run's orders go, in words that nobody can miss."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from actors.commands.output import emit
from actors.deployment.account_sections import prefixed
from actors.settings.account import Settings
from actors.settings.paper import PaperSettings, Trading
from exchanges import adapters

NO_ORDER_LEAVES = "prices are real, fills are estimated, and no order leaves this machine"


def headline(settings: Settings) -> str:
    """Return one sentence: what is meant by an order of this run."""
    venue = settings.venue
    match settings.trading:
        case Trading.LIVE:
            return f"LIVE: orders go to {venue.rest_url or venue.name}; REAL MONEY"
        case Trading.PRACTICE:
            where = venue.rest_url or f"the test network of {venue.name}"
            return f"PRACTICE: orders go to {where}; no real money"
        case Trading.PAPER:
            return f"PAPER: streams of {venue.rest_url or _network(settings)}; {NO_ORDER_LEAVES}"


def terms(settings: Settings) -> str:
    """Return the terms of the paper account, and which of them nobody configured."""
    paper = settings.paper or PaperSettings()
    rate = paper.funding_rate
    funding = "as the venue publishes it" if rate is None else f"{_percent(rate)} every eight hours"
    told = (
        f"balance {paper.balance} at its first start, maker fee {_percent(paper.maker_fee)}, taker fee "
        f"{_percent(paper.taker_fee)}, funding {funding}, leverage "
        f"{min(paper.leverage, settings.risk.max_leverage)} where a ladder names none, latency "
        f"{paper.latency_min_ms} to {paper.latency_max_ms} ms, margin tiers of a usual shape"
    )
    return told if settings.paper is not None else f"{told}; all of them defaults: a section `paper` sets them"


def neglected(settings: Settings) -> str:
    """Return a warning where a journal of real orders lies beside a paper one; empty where there is none."""
    if not settings.is_paper or not settings.venue.live:
        return ""
    path = settings.for_live().journal_path
    if settings.journal.is_file and not path.exists():
        return ""
    where = str(path) if settings.journal.is_file else "the database of journal.url"
    return (
        f"venue.live is true, and this is on paper all the same: without --live nobody looks after the orders and lots "
        f"of the live journal ({where})"
    )


def generic(settings: Settings) -> str:
    """Return a warning where only the generic adapter serves the venue; empty where it has one of its own."""
    name = settings.venue.name
    if not adapters.is_generic(name):
        return ""
    how = "passed the tests at a simulated venue alone" if adapters.is_tested(name) else "is untested"
    return f"{name} is served through ccxt by the generic adapter, which {how}; see gridmesh venues"


def say_trading(accounts: Sequence[Settings], *, as_json: bool) -> None:
    """Print where the orders of a run go, before anything of it starts; each gateway's log hears it too."""
    for settings in accounts:
        said = _said(settings)
        document = {"trading": settings.trading.value, "account": settings.account_name, "said": said}
        lines = prefixed(settings.account_name, said)
        emit(document, as_json=as_json, render=partial(tuple, lines))


def _said(settings: Settings) -> list[str]:
    said = [headline(settings)]
    if settings.is_paper:
        said.append(f"paper terms: {terms(settings)}")
    if warning := neglected(settings):
        said.append(f"WARNING: {warning}")
    if warning := generic(settings):
        said.append(f"WARNING: {warning}")
    return said


def _network(settings: Settings) -> str:
    return f"the test network of {settings.venue.name}" if settings.venue.testnet else settings.venue.name


def _percent(rate: Decimal) -> str:
    return f"{(rate * 100).normalize():f} %"
