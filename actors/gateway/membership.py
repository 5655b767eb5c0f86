"""Which symbols the gateway trades: the configuration, and what was added to or removed from the running deployment.

The journal keeps each change with the run that made it. A later life of the same run goes on from there; a run that is
started anew follows its configuration, and is refused where that forgets what the journal knows.
"""

from __future__ import annotations

from typing import Any

from actors.deployment.roster import Roster
from actors.settings.account import Settings
from actors.settings.symbol import SymbolSettings
from grid.account_records import SymbolJoined, SymbolLeft
from grid.book import Book
from grid.errors import ConfigError
from grid.holds import HoldCause

ANEW = "was removed from this deployment while it ran: take it out of the configuration; gridmesh add brings it back"
FORGOTTEN = (
    "is not in the configuration, but the journal has lots or orders of it: put it back (gridmesh remove ends it while "
    "the others trade on)"
)


class Membership:
    """`settings` is what is traded, `retired` what has left or is leaving: its lots still count, nothing is placed."""

    def __init__(self, settings: Settings, roster: Roster, run: str) -> None:
        self.settings = settings
        self.roster = roster
        self.retired: dict[str, SymbolSettings] = {}
        self.run = run

    @property
    def everything(self) -> Settings:
        """Return the settings with what is retired in them."""
        return self.settings.with_symbols((*self.settings.symbols, *self.retired.values()))

    def traded(self, symbol: str) -> SymbolSettings | None:
        """Return the symbol's settings where it is traded."""
        return next((one for one in self.settings.symbols if one.symbol == symbol), None)

    def take_over(self, book: Book) -> None:
        """Apply what the journal tells. Raises `ConfigError` where the configuration forgets it."""
        for record in book.account.roster.values():
            if record.run == self.run:
                self._apply(record)
            elif isinstance(record, SymbolLeft):
                if self.traded(record.symbol) is not None:
                    raise ConfigError("symbols", record.symbol, ANEW)
                self.retired[record.symbol] = SymbolSettings.model_validate_json(record.ladder)
        for name, symbol in book.symbols.items():
            is_known = self.traded(name) is not None or name in self.retired
            if not is_known and (book.live_orders(name) or any(True for _ in symbol.lots())):
                raise ConfigError("symbols", name, FORGOTTEN)

    def with_symbol(self, ladder: SymbolSettings) -> Settings:
        """Return the settings as they would be with the symbol."""
        others = [one for one in self.settings.symbols if one.symbol != ladder.symbol]
        return self.settings.with_symbols((*others, ladder))

    def join(self, ladder: SymbolSettings) -> SymbolJoined:
        """Take a symbol in; return what is journalled of that."""
        self.settings = self.with_symbol(ladder)
        self.roster = self.roster.joined(ladder, self.settings.runtime)
        self.retired.pop(ladder.symbol, None)
        return SymbolJoined(symbol=ladder.symbol, run=self.run, ladder=ladder.model_dump_json())

    def retire(self, symbol: str) -> str | None:
        """Trade the symbol no more; return its ladder as it is journalled, None where it is unknown."""
        ladder = self.traded(symbol) or self.retired.get(symbol)
        if ladder is None:
            return None
        self.retired[symbol] = ladder
        self.settings = self.settings.with_symbols(one for one in self.settings.symbols if one.symbol != symbol)
        return ladder.model_dump_json()

    def rows(self, book: Book) -> list[dict[str, Any]]:
        """Return this run's changes for the coordinator, oldest first; a symbol that has left loses its actors."""
        rows = [
            {"symbol": record.symbol, "ladder": record.ladder, "state": _state_of(record, book)}
            for record in book.account.roster.values()
            if record.run == self.run
        ]
        for row in rows:
            if row["state"] == "left":
                self.roster = self.roster.without(row["symbol"])
        return rows

    def _apply(self, record: SymbolJoined | SymbolLeft) -> None:
        if isinstance(record, SymbolJoined):
            self.join(SymbolSettings.model_validate_json(record.ladder))
            return
        ladder = SymbolSettings.model_validate_json(record.ladder)
        self.settings = self.settings.with_symbols(one for one in self.settings.symbols if one.symbol != record.symbol)
        self.retired[record.symbol] = ladder


def _state_of(record: SymbolJoined | SymbolLeft, book: Book) -> str:
    if isinstance(record, SymbolLeft):
        return "left" if record.is_verified else "leaving"
    hold = book.holds.find(HoldCause.RECONCILE, record.symbol)
    return "comparing" if hold is not None and hold.reason.startswith("added") else "joined"
