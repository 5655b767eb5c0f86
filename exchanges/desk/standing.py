"""Holds at the desk: the fence, the withdrawal of entries, and the proof that they are gone (rule 20, invariant 5)."""

from __future__ import annotations

from exchanges.desk.cancelling import Cancelling
from exchanges.desk.commands import Broadcast, ReadOpenOrders
from exchanges.desk.core import Chore, Core
from exchanges.desk.events import Instant, OpenOrdersRead, ReferenceSeen
from grid.client_id import decode
from grid.holds import Hold, HoldCause
from grid.records import HoldLifted, HoldPut
from grid.symbol_book import OrderEntry
from risk.lease import LeaseState

VERIFY_AGAIN_MS = 300
FEED_GRACE_MS = 2_000
"""A feed speaks every second: silence of the price's age and this much more is its death."""


class StandingHolds:
    """Puts and lifts holds, each by its own cause; knows whether the entries of each are verified gone."""

    def __init__(self, core: Core, cancelling: Cancelling) -> None:
        self._core = core
        self._cancelling = cancelling
        self._reading_after_ms: dict[str, int] = {}
        self.gone_since_ms: dict[str, int] = {}
        """By scope (symbol, empty for the account): when its entries were verified gone, monotonic ms."""

    def put(self, cause: HoldCause, symbol: str, reason: str, now: Instant) -> None:
        """Take the fence first, then withdraw the entries in its scope and verify that they are gone."""
        core = self._core
        if core.book.holds.find(cause, symbol) is not None:
            return
        core.record(HoldPut(hold=Hold(cause=cause, symbol=symbol, reason=reason, since_ms=now.wall_ms)))
        core.notice("hold", f"hold {cause.value} on {symbol or 'the account'}: {reason}", "warning")
        self._broadcast(symbol)
        self.withdraw_entries(symbol, now)

    def withdraw_entries(self, symbol: str, now: Instant) -> None:
        """Cancel the entries in the scope and begin to verify."""
        self.gone_since_ms.pop(symbol, None)
        for order in self._entries(symbol):
            self._cancelling.cancel(order.client_id, now)
        self._core.do_at(Chore.VERIFY, symbol, now.mono_ms)

    def lift(self, cause: HoldCause, symbol: str, reason: str) -> None:
        """End a hold; entries come back by rule 9 at the present price once no other stands."""
        core = self._core
        if core.book.holds.find(cause, symbol) is None:
            return
        core.record(HoldLifted(cause=cause, symbol=symbol, reason=reason))
        core.notice("lifted", f"hold {cause.value} on {symbol or 'the account'} lifted: {reason}")
        if not any(hold.symbol == symbol for hold in core.book.holds.holds):
            # Nothing stands in this scope any more: entries come back, and a verification would cancel them.
            core.drop(Chore.VERIFY, symbol)
            self._reading_after_ms.pop(symbol, None)
            self.gone_since_ms.pop(symbol, None)
        self._broadcast(symbol)

    def on_reference(self, seen: ReferenceSeen, now: Instant) -> None:
        """Take a feed's price, or its word that the price is stale (hold `price`)."""
        if seen.symbol in self._core.leaving:
            return  # its feed ends with it: neither price nor silence says anything
        self._core.fed_ms[seen.symbol] = now.mono_ms
        if seen.reference is not None and self._core.is_of_present_side(seen.symbol, seen.reference):
            self._core.references[seen.symbol] = (seen.reference, now.mono_ms)
        if not seen.is_fresh:
            self._core.references.pop(seen.symbol, None)
            self.put(HoldCause.PRICE, seen.symbol, seen.detail or "the price is stale", now)
        else:
            self.lift(HoldCause.PRICE, seen.symbol, "the price is fresh")

    def on_tick(self, now: Instant) -> None:
        """Watch the supervisor's lease and the feeds: silence is a no (rule 8 of the invariants)."""
        state = self._core.lease.state(now.mono_ms)
        if state is LeaseState.VALID and self._core.is_owner:
            self.lift(HoldCause.LEASE, "", "the risk supervisor says go again")
        elif state is LeaseState.LOST and self._core.is_ready:
            self.put(HoldCause.LEASE, "", "the risk supervisor is silent", now)
        for symbol, fed_ms in self._core.fed_ms.items():
            if now.mono_ms - fed_ms > self._core.settings.price_age_ms + FEED_GRACE_MS:
                self._core.references.pop(symbol, None)
                self.put(HoldCause.PRICE, symbol, "the price feed is silent", now)

    def verify(self, symbol: str, now: Instant) -> None:
        """A verification is due: cancel what is left, or read the open orders once a late arrival is impossible."""
        core = self._core
        left = self._entries(symbol)
        for order in left:
            self._cancelling.cancel(order.client_id, now)
        ready_ms = self._last_sent(symbol) + core.settings.recv_window_ms + core.settings.clock_bound_ms
        if left or now.mono_ms < ready_ms:
            core.do_at(Chore.VERIFY, symbol, max(now.mono_ms + VERIFY_AGAIN_MS, 0 if left else ready_ms))
            return
        self._reading_after_ms[symbol] = now.mono_ms
        core.command(ReadOpenOrders())
        core.do_at(Chore.VERIFY, symbol, now.mono_ms + 10 * VERIFY_AGAIN_MS)

    def on_open_orders(self, read: OpenOrdersRead, now: Instant) -> None:
        """Judge a reading for every verification that waits for one begun late enough."""
        if read.reports is None:
            return
        for symbol, after_ms in list(self._reading_after_ms.items()):
            if read.begun_ms < after_ms:
                continue
            del self._reading_after_ms[symbol]
            if any(self._is_entry(r.client_id, r.symbol) for r in read.reports if symbol in ("", r.symbol)):
                self._core.do_at(Chore.VERIFY, symbol, now.mono_ms + VERIFY_AGAIN_MS)
                continue
            self._core.drop(Chore.VERIFY, symbol)
            self.gone_since_ms[symbol] = now.mono_ms
            self._core.notice("entries_gone", f"no entry is left on {symbol or 'the account'}: verified at the venue")

    def _entries(self, symbol: str) -> list[OrderEntry]:
        return [o for o in self._core.book.live_orders() if not o.purpose.closing and symbol in ("", o.symbol)]

    def _is_entry(self, client_id: str, symbol: str) -> bool:
        identity = decode(client_id, symbol)
        own = identity is not None and identity.journal == self._core.settings.journal
        return own and identity is not None and not identity.purpose.closing

    def _last_sent(self, symbol: str) -> int:
        sent = [ms for name, ms in self._core.last_entry_sent_ms.items() if symbol in ("", name)]
        return max(sent, default=-self._core.settings.recv_window_ms - self._core.settings.clock_bound_ms)

    def _broadcast(self, symbol: str) -> None:
        for name in self._core.symbols if not symbol else (symbol,):
            self._core.command(Broadcast(standing=self._core.standing(name)))
