"""How trading ends: keep, leave the exits, or flatten (rule 23 of the trading rules). The fence is taken first.

The account as a whole, or one symbol while the others trade on: the same steps, each in its scope.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from exchanges.desk.cancelling import Cancelling
from exchanges.desk.commands import ReadOpenOrders, ReadOpenStops
from exchanges.desk.core import Chore, Core
from exchanges.desk.events import ClosingMode, Instant, OpenOrdersRead, StopsRead
from exchanges.desk.flattening import Flattening
from exchanges.desk.readings import is_own
from exchanges.desk.standing import StandingHolds
from grid.account_records import SymbolLeft
from grid.holds import HoldCause
from grid.order import Purpose
from grid.symbol_book import OrderEntry, SymbolBook

ACCOUNT = ""
STOPPING = "stopping"
REMOVING = "removing"
AGAIN_MS = 300
OVERDUE_MS = 30_000
"""A stop that takes longer needs a person: it is said again after each of these."""


@dataclass(slots=True)
class _Ending:
    """How far one scope has come."""

    mode: ClosingMode
    overdue_ms: int
    left: SymbolLeft | None = None
    """What is journalled once a symbol's end is verified."""
    reading_after_ms: int | None = None
    gone: dict[str, bool] = field(default_factory=dict)
    """By list, orders and stops: whether the final reading showed nothing that had to go."""
    is_done: bool = False


class Closing:
    """Drives the desk, or one symbol, to its end, step by step, each verified."""

    def __init__(self, core: Core, cancelling: Cancelling, flattening: Flattening, standing: StandingHolds) -> None:
        self._core = core
        self._cancelling = cancelling
        self._flattening = flattening
        self._standing = standing
        self._endings: dict[str, _Ending] = {}

    def begin(self, now: Instant) -> None:
        """Take over: a symbol that was leaving, or had left, under a former owner goes on doing so."""
        for left in self._core.book.account.roster.values():
            if isinstance(left, SymbolLeft) and left.symbol in self._core.symbols:
                self._begin_to_leave(left, now)

    def ask(self, mode: ClosingMode, now: Instant) -> None:
        """Begin to close; a second word changes the mode, never back to trading."""
        self._core.closing, self._core.is_closed = mode, False
        self._enter(ACCOUNT, _Ending(mode=mode, overdue_ms=now.mono_ms + OVERDUE_MS), STOPPING, now)

    def leave(self, left: SymbolLeft, now: Instant) -> None:
        """Begin to end one symbol: journalled at once, so that no restart brings it back."""
        if left.symbol in self._core.symbols:
            self._core.record(left)
            self._begin_to_leave(left, now)

    def rejoin(self, symbol: str) -> None:
        """Take a symbol back into trading."""
        self._endings.pop(symbol, None)
        self._core.leaving.pop(symbol, None)
        self._core.stops_end.discard(symbol)
        self._core.drop(Chore.CLOSE, symbol)
        self._standing.lift(HoldCause.OPERATOR, symbol, "added again")

    def step(self, scope: str, now: Instant) -> None:
        """One step is due."""
        core, ending = self._core, self._endings.get(scope)
        if ending is None or ending.is_done:
            return
        core.do_at(Chore.CLOSE, scope, now.mono_ms + AGAIN_MS)
        self._say_overdue(scope, ending, now)
        doomed = self._doomed(scope, ending)
        for order in doomed:
            self._cancelling.cancel(order.client_id, now)
        is_flat = ending.mode is not ClosingMode.FLATTEN or (not doomed and self._is_flat(scope, now))
        if ending.mode is ClosingMode.FLATTEN and is_flat:
            core.stops_end.add(scope)  # the lots stay covered until they are sold
        elif ending.mode is ClosingMode.FLATTEN:
            core.stops_end.discard(scope)
        if doomed or not is_flat or self._has_stops(scope):
            ending.reading_after_ms = None
        elif ending.reading_after_ms is None:
            ending.reading_after_ms = max(self._quiet_from_ms(), now.mono_ms)
            ending.gone.clear()
        elif now.mono_ms >= ending.reading_after_ms:
            # Two lists: conditional orders are not among the open ones (rule 14).
            core.command(ReadOpenOrders())
            core.command(ReadOpenStops())
            core.do_at(Chore.CLOSE, scope, now.mono_ms + 10 * AGAIN_MS)

    def on_open_orders(self, read: OpenOrdersRead, now: Instant) -> None:
        """Judge the final reading: closed only once it shows nothing that had to go."""
        for scope, ending in self._waiting(read.begun_ms):
            if read.reports is not None:
                own = [r for r in read.reports if self._is_own(scope, r.client_id, r.symbol)]
                left = [r for r in own if ending.mode is not ClosingMode.LEAVE_EXITS or not r.closing]
                self._conclude(scope, ending, "orders", is_gone=not left, now=now)

    def on_open_stops(self, read: StopsRead, now: Instant) -> None:
        """Judge the other list likewise."""
        for scope, ending in self._waiting(read.begun_ms):
            if read.reports is not None:
                own = [r for r in read.reports if self._is_own(scope, r.client_id, r.symbol)]
                is_gone = ending.mode is ClosingMode.LEAVE_EXITS or not own
                self._conclude(scope, ending, "stops", is_gone=is_gone, now=now)

    def _begin_to_leave(self, left: SymbolLeft, now: Instant) -> None:
        mode = ClosingMode(left.mode)
        self._core.leaving[left.symbol] = mode
        self._core.fed_ms.pop(left.symbol, None)
        self._standing.lift(HoldCause.PRICE, left.symbol, "it is being removed")
        ending = _Ending(mode=mode, overdue_ms=now.mono_ms + OVERDUE_MS, left=left)
        self._enter(left.symbol, ending, REMOVING, now)

    def _enter(self, scope: str, ending: _Ending, word: str, now: Instant) -> None:
        self._endings[scope] = ending
        if ending.mode is ClosingMode.KEEP:
            self._core.stops_end.add(scope)
        else:
            self._core.stops_end.discard(scope)
        self._standing.put(HoldCause.OPERATOR, scope, f"{word}: {ending.mode.value}", now)
        self._standing.withdraw_entries(scope, now)
        self._core.do_at(Chore.CLOSE, scope, now.mono_ms)

    def _waiting(self, begun_ms: int) -> list[tuple[str, _Ending]]:
        """Return the endings for which a reading begun then is late enough."""
        return [
            (scope, ending)
            for scope, ending in self._endings.items()
            if ending.reading_after_ms is not None and begun_ms >= ending.reading_after_ms
        ]

    def _conclude(self, scope: str, ending: _Ending, which: str, *, is_gone: bool, now: Instant) -> None:
        ending.gone[which] = is_gone
        if ending.is_done or not is_gone or self._doomed(scope, ending) or self._has_stops(scope):
            ending.reading_after_ms = None
            if not ending.is_done:
                # Something went out, or showed up, since the readings were asked for.
                self._core.do_at(Chore.CLOSE, scope, now.mono_ms)
            return
        if len(ending.gone) == 2:
            self._finish(scope, ending)

    def _finish(self, scope: str, ending: _Ending) -> None:
        core = self._core
        ending.reading_after_ms, ending.is_done = None, True
        core.drop(Chore.CLOSE, scope)
        if ending.left is None:
            core.is_closed = True
            core.notice("closed", f"closed ({ending.mode.value}): verified at the venue")
        else:
            if not ending.left.is_verified:
                core.record(replace(ending.left, is_verified=True))
            core.notice("removed", f"{scope} is removed ({ending.mode.value}): verified at the venue")
        if ending.mode is ClosingMode.FLATTEN:
            for book in self._books(scope):
                if book.lot_steps():
                    text = f"{book.symbol}: {sum(1 for _ in book.lots())} lots of {book.lot_steps()} steps are not sold"
                    core.notice("lots_left", text, "critical")

    def _say_overdue(self, scope: str, ending: _Ending, now: Instant) -> None:
        if now.mono_ms < ending.overdue_ms:
            return
        ending.overdue_ms = now.mono_ms + OVERDUE_MS
        left, what = len(self._doomed(scope, ending)), f"the removal of {scope}" if scope else "the stop"
        reason = (
            f"{left} own orders are not known to be gone" if left else "the venue has not confirmed that none is left"
        )
        self._core.notice("not_closed", f"{what} ({ending.mode.value}) is not through: {reason}", "critical")

    def _books(self, scope: str) -> list[SymbolBook]:
        return [book for book in self._core.traded() if scope in (ACCOUNT, book.symbol)]

    def _has_stops(self, scope: str) -> bool:
        return scope in self._core.stops_end and any(
            book.stop is not None for name, book in self._core.book.symbols.items() if scope in (ACCOUNT, name)
        )

    def _doomed(self, scope: str, ending: _Ending) -> list[OrderEntry]:
        return [order for order in self._core.book.live_orders(scope or None) if self._must_go(order, scope, ending)]

    def _must_go(self, order: OrderEntry, scope: str, ending: _Ending) -> bool:
        if order.purpose in (Purpose.FLATTEN, Purpose.STOP):
            return False
        if not order.purpose.closing:
            return True
        if ending.mode is ClosingMode.FLATTEN:
            return self._entries_are_gone(scope)
        return ending.mode is ClosingMode.KEEP

    def _entries_are_gone(self, scope: str) -> bool:
        return bool({ACCOUNT, scope} & set(self._standing.gone_since_ms))

    def _is_own(self, scope: str, client_id: str, symbol: str) -> bool:
        return scope in (ACCOUNT, symbol) and is_own(client_id, symbol, self._core.settings.journal)

    def _quiet_from_ms(self) -> int:
        return self._core.last_sent_ms + self._core.settings.recv_window_ms + self._core.settings.clock_bound_ms

    def _is_flat(self, scope: str, now: Instant) -> bool:
        if not self._entries_are_gone(scope):
            return False
        # Every symbol is worked on, also after one that is not flat yet.
        flat = [self._flattening.step(book, now) for book in self._books(scope)]
        return all(flat)
