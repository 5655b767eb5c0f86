"""`gridmesh init`: reads a venue's public part, proposes ladders that a start takes, and writes them as a new file."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from actors.clock import SystemClock
from actors.errors import NotFound
from actors.planning.facts import LadderFacts, Told, assumed, bounded, read_public
from actors.planning.first_configuration import Answers, Proposed, configuration_text
from actors.planning.plan import LadderPlan
from actors.private_files import sync_folder
from actors.settings.account import Settings, load_settings
from actors.settings.runtime import RiskSettings
from actors.venues import market_at
from exchanges.errors import VenueRefused
from exchanges.port import MarketVenue
from grid.book import Book
from grid.errors import ConfigError
from grid.ladder import GridSide
from grid.neutral import GridKind
from risk.plan import Finding, Severity
from risk.proposal import Movement, Wish, movement, propose

CANDLES = (("15m", 500), ("5m", 500), ("1m", 1000))
"""Asked for in this order until there are enough: long candles of some days where the venue has them."""
ROUNDS_MAX = 12
FEWER = Decimal("0.8")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLadder:
    """The configuration as text, what it was made from, and what a start would still warn of."""

    text: str
    proposed: tuple[Proposed, ...]
    warnings: tuple[str, ...]


class Proposer:
    """Makes one first configuration. Asks only the public part of the venue."""

    def __init__(self, answers: Answers, scratch: Path) -> None:
        """Take what the user said; `scratch` is where the file lies while it is tried."""
        self._answers = answers
        self._scratch = scratch

    async def run(self) -> FirstLadder:
        """Return a configuration that a start would take; raises `ConfigError` where the funds allow none."""
        answers = self._answers
        told = Told(maker_fee=answers.maker_fee)
        market = market_at(answers.place, SystemClock(), "init")
        try:
            readings, moved = {}, {}
            for symbol in answers.symbols:
                instrument, quote = await read_public(market, symbol, "--symbol")
                if not instrument.trading:
                    raise ConfigError("--symbol", symbol, "the venue has closed it for trading")
                readings[symbol] = assumed(instrument, quote, told)
                moved[symbol] = await _movement(market, symbol)
            watch = await _watched(market, answers.symbols)
        finally:
            await market.close()
        facts = LadderFacts(readings=readings, account=None)
        return self._sound(facts, moved, watch, told)

    def _sound(self, facts: LadderFacts, moved: dict[str, Movement], watch: list[str], told: Told) -> FirstLadder:
        """Propose, have the rules of a start judge it, and propose less until they refuse nothing."""
        funds, refused = self._answers.funds / len(self._answers.symbols), ""
        for _ in range(ROUNDS_MAX):
            proposed = tuple(self._proposed(facts, symbol, moved[symbol], funds) for symbol in self._answers.symbols)
            text = configuration_text(self._answers, proposed, watch)
            findings = self._judged(text, facts, told)
            refusals = [finding.sentence for finding in findings if finding.severity is Severity.REFUSE]
            if not refusals:
                warnings = tuple(finding.sentence for finding in findings)
                return FirstLadder(text=text, proposed=proposed, warnings=warnings)
            refused, funds = refusals[0], funds * FEWER
        raise ConfigError("--funds", self._answers.funds, f"no ladder was found that a start takes: {refused}")

    def _proposed(self, facts: LadderFacts, symbol: str, moved: Movement, funds: Decimal) -> Proposed:
        answers, reading = self._answers, facts.readings[symbol]
        wish = Wish(side=_dearer(answers.side), appetite=answers.appetite, funds=funds, leverage=answers.leverage)
        made = propose(reading.instrument, reading.quote.bid, reading.fees.maker, moved, wish)
        return Proposed(instrument=reading.instrument, quote=reading.quote, moved=moved, proposal=made)

    def _judged(self, text: str, facts: LadderFacts, told: Told) -> list[Finding]:
        settings = _settings_of(text, self._scratch)
        return LadderPlan(settings, facts, Book(), told, self._answers.funds).findings()


def _dearer(kind: GridKind) -> GridSide:
    """Return the side by which a ladder is proposed; of a grid with both, the one that loses without an end."""
    return GridSide(kind.value) if kind is not GridKind.NEUTRAL else GridSide.SHORT


def write_new(path: Path, text: str) -> None:
    """Write the file for its owner alone; raises `ConfigError` where there is one already: none is ever replaced."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise ConfigError("FILE", path, "exists already, and is never replaced; name another") from None
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise NotFound(f"no such folder: {path.parent}") from None
        raise ConfigError("FILE", path, f"cannot be made: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.absolute().parent)


def _settings_of(text: str, scratch: Path) -> Settings:
    """Return the text as a start would read it, without what the environment would lay over it."""
    scratch.unlink(missing_ok=True)
    write_new(scratch, text)
    try:
        return load_settings(scratch, {})
    finally:
        scratch.unlink()


async def _movement(market: MarketVenue, symbol: str) -> Movement:
    """Return how far the symbol moves, by the longest candles of which the venue has enough."""
    for interval, count in CANDLES:
        found = movement(await bounded(market.candles(symbol, interval, count)))
        if found is not None:
            return found
    raise ConfigError("--symbol", symbol, "has too few candles, or none that moved, to propose a step by")


async def _watched(market: MarketVenue, symbols: tuple[str, ...]) -> list[str]:
    """Return the coins of the default watch that the venue trades, and the symbols themselves where there are none."""
    found = []
    for coin in RiskSettings().watch:
        try:
            instrument = await bounded(market.instrument(coin))
        except VenueRefused:
            continue
        if instrument.trading:
            found.append(coin)
    return found or list(symbols)
