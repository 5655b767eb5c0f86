"""Symbols added to and removed from a gateway that serves, one addition at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from actors.gateway.grids import Grid, desk_symbol
from actors.gateway.joiner import Joiner
from actors.gateway.membership import Membership
from actors.settings.symbol import SymbolSettings
from exchanges.desk.events import ClosingMode, Event, RemoveAsked, SymbolAdded


class Changes:
    """Carries out the operator's words on the roster. `grids` is the gateway's own. Used in its loop."""

    def __init__(self, membership: Membership, grids: dict[str, Grid], on_event: Callable[[Event], None]) -> None:
        self._membership = membership
        self._grids = grids
        self._on_event = on_event
        self._joiner: Joiner | None = None
        self._cover: Callable[[Sequence[str], Mapping[str, int]], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._token = ""
        self.last: dict[str, Any] | None = None
        """The last addition: whose token, symbol, state (`checking`, `refused`, `taken`), reasons of a refusal."""

    def equip(self, joiner: Joiner, cover: Callable[[Sequence[str], Mapping[str, int]], None]) -> None:
        """Give what a gateway has once it serves."""
        self._joiner, self._cover = joiner, cover

    def join(self, ladder: SymbolSettings, token: str) -> None:
        """Begin to check the symbol; what is traded, or is being checked, is not begun again."""
        if self._task is None and self._joiner is not None and self._membership.traded(ladder.symbol) is None:
            self._token = token
            self._say(ladder.symbol, "checking")
            self._task = asyncio.get_running_loop().create_task(self._join(ladder, self._joiner))

    def leave(self, symbol: str, mode: ClosingMode) -> None:
        """Begin to end the symbol; a second word changes how."""
        ladder = self._membership.retire(symbol) if self._joiner is not None else None
        if ladder is not None:
            self._on_event(RemoveAsked(symbol=symbol, mode=mode, run=self._membership.run, ladder=ladder))

    async def _join(self, ladder: SymbolSettings, joiner: Joiner) -> None:
        try:
            traded = [grid for name, grid in self._grids.items() if name not in self._membership.retired]
            judged = await joiner.judge(ladder, traded)
            if judged.reasons or judged.grid is None:
                self._say(ladder.symbol, "refused", judged.reasons)
                return
            self._take(judged.grid, judged.event(self._membership.join(ladder), desk_symbol(judged.grid)))
        finally:
            self._task = None

    def _take(self, grid: Grid, event: SymbolAdded) -> None:
        """The checks are passed: one event takes the symbol into the journal and into trading."""
        self._grids[grid.settings.symbol] = grid
        self._on_event(event)
        if self._cover is not None:
            ladders = [one.settings for one in self._grids.values()]
            self._cover(
                [one.symbol for one in ladders],
                {one.symbol: one.leverage for one in ladders if one.leverage is not None},
            )
        self._say(grid.settings.symbol, "taken")

    def _say(self, symbol: str, state: str, reasons: Sequence[str] = ()) -> None:
        self.last = {"token": self._token, "symbol": symbol, "state": state, "reasons": list(reasons)}
