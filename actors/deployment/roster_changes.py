"""The coordinator's part in symbols that come and go: it brings the actors into line with what the gateway says.

The gateway's journal is the only memory of a change, so nothing is lost whoever dies in the middle: each look compares
what is traded with who is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from actors.deployment.crew import Crew
from actors.deployment.roster import Roster
from actors.settings.account import Settings, configuration_hash
from actors.settings.symbol import SymbolSettings


class RosterChanges:
    """Settings and roster as they are just now."""

    def __init__(self, settings: Settings, roster: Roster, crew: Crew) -> None:
        self.settings = settings
        self.roster = roster
        self._crew = crew
        self._to_drop: set[tuple[str, str]] = set()
        """(actor, symbol): packs that have still to be told."""

    def follow(
        self,
        rows: Iterable[Mapping[str, Any]],
        enlist: Callable[[tuple[str, ...]], bool],
        dismissed: Callable[[tuple[str, ...]], None],
    ) -> None:
        """Bring the actors into line. Slots come before their feed, as at a start; who leaves goes after the proof."""
        for row in rows:
            name, state = str(row["symbol"]), row["state"]
            if state == "joined" and name not in self.roster.layouts:
                self._take(SymbolSettings.model_validate_json(row["ladder"]))
                if not enlist(self.roster.layouts[name].names()) or not enlist((self.roster.feeds[name],)):
                    return
            elif state == "left" and name in self.roster.layouts:
                gone = self._let_go(name)
                dismissed(gone)
                self._crew.dismiss(gone)
        for pack, symbol in list(self._to_drop):
            if pack not in self.roster.movable or self._crew.ask(pack, "drop", symbol):
                self._to_drop.discard((pack, symbol))

    def adopt(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take over what a former coordinator has done, or was about to do: the start enlists whom that names."""
        for row in rows:
            name, state = str(row["symbol"]), row["state"]
            if state == "joined":
                if name in self.roster.layouts:
                    self._let_go(name)  # it had left its pack, and came back with actors of its own
                self._take(SymbolSettings.model_validate_json(row["ladder"]))
            elif state == "left" and name in self.roster.layouts:
                self._crew.dismiss(self._let_go(name))

    def add(self, settings: Settings, symbol: str, token: str) -> str:
        """Have the gateway begin to add a symbol, nothing without a token; return why not, or empty."""
        why = self._unfit(settings, symbol)
        if why or not token:
            return why
        ladder = next(one for one in settings.symbols if one.symbol == symbol)
        return self._say("join", ladder, token)

    def remove(self, symbol: str, mode: str) -> str:
        """Have the gateway begin to remove a symbol; return why not, or empty."""
        if symbol not in self.roster.layouts:
            return f"{symbol} is not traded here"
        if len(self.roster.layouts) == 1:
            return f"{symbol} is the only symbol: gridmesh stop ends the deployment"
        return self._say("leave", symbol, mode)

    def _say(self, verb: str, *arguments: Any) -> str:
        is_taken = self._crew.ask(self.roster.gateway, verb, *arguments)
        return "" if is_taken else "the order gateway does not answer"

    def _unfit(self, settings: Settings, symbol: str) -> str:
        """Return why these settings are not the present ones and the symbol besides, empty where they are."""
        if symbol in self.roster.layouts:
            return f"{symbol} is traded already"
        others = settings.with_symbols(one for one in settings.symbols if one.symbol != symbol)
        if len(others.symbols) == len(settings.symbols):
            return f"the configuration does not name {symbol}"
        if configuration_hash(others) != configuration_hash(self.settings):
            return (
                f"the configuration differs from the running one in more than {symbol}: those changes need a stop and "
                "a new start"
            )
        return ""

    def _take(self, ladder: SymbolSettings) -> None:
        self.settings = self.settings.with_symbols((*self.settings.symbols, ladder))
        self.roster = self.roster.joined(ladder, self.settings.runtime)
        self._crew.regroup(self.settings, self.roster)

    def _let_go(self, symbol: str) -> tuple[str, ...]:
        """Have the packs drop a symbol; return the actors that serve nothing but it."""
        serving = self.roster.serving(symbol)
        self.settings = self.settings.with_symbols(one for one in self.settings.symbols if one.symbol != symbol)
        self.roster = self.roster.without(symbol)
        self._crew.regroup(self.settings, self.roster)
        packs = {name for name in serving if name in self.roster.movable}
        self._to_drop |= {(pack, symbol) for pack in packs}
        return tuple(name for name in serving if name not in packs)
