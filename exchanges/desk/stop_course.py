"""How far each symbol's exchange-side stop has come: when it was sent, seen and missed, and why it has to wait."""

from __future__ import annotations

from dataclasses import dataclass

from exchanges.desk.commands import LookUpStop
from exchanges.desk.core import Chore, Core
from exchanges.desk.events import Instant
from grid.records import StopMarked
from grid.stop import StopEntry, StopSignal

RETRY_FIRST_MS = 1_000
RETRY_LAST_MS = 60_000


@dataclass(slots=True)
class Trouble:
    """Why a symbol has no stop though it should, and when the next try is due."""

    retry_ms: int = 0
    attempts: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopWord:
    """How a symbol's stop stands: why it does not rest, empty where it does, and when the next step is due."""

    stop: StopEntry | None
    missing: str
    retry_ms: int | None


class StopCourse:
    """Monotonic times, of this life alone; the steps themselves are journalled."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.sent_ms: dict[str, int] = {}
        """By client id."""
        self.since_ms: dict[str, int] = {}
        """By symbol: when the present stop came into its present phase, in this life."""
        self.unfound_ms: dict[str, int] = {}
        self.read_ms: dict[str, int] = {}
        """By symbol: when the last look-up that settled something about the present stop began."""
        self.troubles: dict[str, Trouble] = {}

    def trouble(self, symbol: str) -> Trouble:
        """Return why the symbol has none, as far as that is known."""
        return self.troubles.get(symbol, Trouble())

    def present(self, symbol: str, client_id: str) -> StopEntry | None:
        """Return the symbol's stop where it is this one."""
        book = self._core.book.symbols.get(symbol)
        stop = book.stop if book is not None else None
        return stop if stop is not None and stop.client_id == client_id else None

    def look_up(self, symbol: str, stop: StopEntry) -> None:
        """Have the venue asked what has become of it."""
        self._core.command(LookUpStop(symbol=symbol, client_id=stop.client_id))

    def gone(self, symbol: str, stop: StopEntry, reason: str, now: Instant) -> None:
        """It is over, for whatever reason."""
        self._core.drop(Chore.STOP, symbol)
        self.sent_ms.pop(stop.client_id, None)
        self.unfound_ms.pop(symbol, None)
        self.read_ms.pop(symbol, None)
        self.mark(symbol, stop, StopSignal.GONE, now, reason=reason)

    def mark(
        self,
        symbol: str,
        stop: StopEntry,
        signal: StopSignal,
        now: Instant,
        *,
        algo_id: str = "",
        order_id: str = "",
        reason: str = "",
    ) -> None:
        """Journal a step of its life."""
        self.since_ms[symbol] = now.mono_ms
        self._core.record(
            StopMarked(
                symbol=symbol,
                client_id=stop.client_id,
                signal=signal,
                algo_id=algo_id,
                order_id=order_id,
                reason=reason,
            )
        )

    def put_off(self, symbol: str, words: str, now: Instant) -> None:
        """Try again later, and say why once."""
        trouble = self.troubles.setdefault(symbol, Trouble())
        trouble.retry_ms = now.mono_ms + min(RETRY_FIRST_MS << min(trouble.attempts, 8), RETRY_LAST_MS)
        trouble.attempts += 1
        if words != trouble.words:
            trouble.words = words
            self._core.notice("stop_missing", f"{symbol}: the exchange-side stop does not rest: {words}", "warning")
