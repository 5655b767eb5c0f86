"""The gateway's numbers for Ray's metrics, taken from its picture once a second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from actors.clock import Clock
from actors.gateway.caller import VenueCaller
from actors.gateway.gauging_money import show_account, show_money
from actors.gateway.keeper import DeskKeeper
from actors.gateway.timings import Timings
from actors.journal.writer import Journal
from actors.mail.outbox import Gauges
from actors.ownership.lease import LeasePhase
from actors.settings.account import Settings
from actors.settings.paper import Trading
from grid.holds import HoldCause
from grid.slot import Phase

AT_ONCE = 10
"""Symbols shown in one look, as long as each gets its turn in time."""
PARTS_MAX = 8
"""Looks, a second apart, until each symbol was shown: what is not set for some twenty seconds disappears."""


class Gauging:
    """Shows the present numbers and counts what grew since the last look."""

    def __init__(self, *, name: str, gauges: Gauges, settings: Settings, clock: Clock) -> None:
        self._name = name
        self._gauges = gauges
        self._settings = settings
        self._clock = clock
        self._counted: dict[tuple[str, str], int] = {}
        self._held: frozenset[tuple[str, str]] = frozenset()
        self._looks = 0
        self.timings = Timings(clock)

    def show(
        self,
        picture: Mapping[str, Any],
        keeper: DeskKeeper,
        caller: VenueCaller,
        journal: Journal,
        ages_s: Mapping[str, float],
        depth: int,
    ) -> None:
        """Publish a picture, what left for the venue, how long that took, and how much the loop has to do."""
        self._gauges.set("gridmesh_heartbeat_s", self._clock.now_ms() // 1000, actor=self._name)
        for kind in Trading:
            self._gauges.set("gridmesh_trading", kind is self._settings.trading, trading=kind.value)
        self._gauges.set("gridmesh_inner_queue", depth, actor=self._name)
        self._gauges.set("gridmesh_owner_epoch", picture["owner_epoch"])
        self._gauges.set("gridmesh_has_go", keeper.desk.has_go(keeper.now()))
        self._gauges.set("gridmesh_journal_bytes", journal.size_bytes)
        self._gauges.set("gridmesh_journal_records", journal.last_seq)
        for stream, age_s in ages_s.items():
            self._gauges.set("gridmesh_stream_age_ms", age_s * 1000, stream=stream)
        self._show_times()
        self._show_limiter(caller)
        symbols = self._in_turn(list(picture["symbols"]))
        self._show_holds(picture, symbols)
        self._show_lease(picture.get("ownership", {}))
        for (symbol, purpose), count in keeper.sent.items():
            self._grow("gridmesh_orders_sent", count, symbol=symbol, purpose=purpose)
        for name, count in keeper.counts.items():
            if name in ("orders_filled", "orders_canceled", "orders_expired", "orders_rejected"):
                self._grow("gridmesh_orders_ended", count, status=name.removeprefix("orders_"))
        for symbol in symbols:
            self._show_symbol(symbol, picture["symbols"][symbol])
            show_money(self._gauges, symbol, picture["symbols"][symbol])
        show_account(self._gauges, self._settings, picture)
        self._grow("gridmesh_venue_errors", picture["account"].get("venue_errors", 0))

    def _show_times(self) -> None:
        samples = self.timings.take()
        for passed_ms in samples.quote_to_entry_ms:
            self._gauges.observe("gridmesh_quote_to_entry_ms", passed_ms)
        for passed_ms in samples.fill_to_exit_ms:
            self._gauges.observe("gridmesh_fill_to_exit_ms", passed_ms)
        for lane, passed_ms in samples.lane_wait_ms:
            self._gauges.observe("gridmesh_lane_wait_ms", passed_ms, lane=lane)
        for call, outcome, passed_ms in samples.venue_call_ms:
            self._gauges.observe("gridmesh_venue_call_ms", passed_ms, call=call, outcome=outcome)
        for passed_us in samples.journal_us:
            self._gauges.observe("gridmesh_journal_append_us", passed_us)

    def _show_limiter(self, caller: VenueCaller) -> None:
        for lane, waiting in caller.depths().items():
            self._gauges.set("gridmesh_lane_waiting", waiting, lane=lane)
        tokens, windows, is_banned = caller.limits()
        self._gauges.set("gridmesh_limiter_tokens", tokens)
        self._gauges.set("gridmesh_is_banned", is_banned)
        for window in windows:
            length = f"{window.interval_ms // 1000}s"
            self._gauges.set("gridmesh_limiter_used", window.used, kind=window.kind, window=length)
            self._gauges.set("gridmesh_limiter_limit", window.limit, kind=window.kind, window=length)

    def _in_turn(self, symbols: list[str]) -> list[str]:
        """Return the symbols to show now: orders wait while numbers are shown, so many symbols take turns."""
        parts = max(1, min(PARTS_MAX, -(-len(symbols) // AT_ONCE)))
        self._looks += 1
        return symbols[self._looks % parts :: parts]

    def _show_holds(self, picture: Mapping[str, Any], symbols: Sequence[str]) -> None:
        held = frozenset((hold["cause"], hold["symbol"]) for hold in picture["holds"])
        for cause in HoldCause:
            for symbol in ("", *symbols):
                self._gauges.set("gridmesh_holds", (cause.value, symbol) in held, cause=cause.value, symbol=symbol)
        for name, _ in held - self._held:
            self._gauges.count("gridmesh_holds_begun", cause=name)
        self._held = held

    def _show_lease(self, lease: Mapping[str, Any]) -> None:
        for phase in LeasePhase:
            self._gauges.set("gridmesh_account_lease", lease.get("phase") == phase.value, phase=phase.value)
        if lease.get("silent_in_ms") is not None:
            self._gauges.set("gridmesh_account_lease_left_ms", lease["silent_in_ms"])

    def _show_symbol(self, symbol: str, seen: Mapping[str, Any]) -> None:
        self._gauges.set("gridmesh_own_orders", seen["entries"], symbol=symbol, purpose="entry")
        self._gauges.set("gridmesh_own_orders", seen["exits"], symbol=symbol, purpose="exit")
        self._gauges.set("gridmesh_churn", float(seen["churn"]["ratio"] or 0), symbol=symbol)
        self._grow("gridmesh_round_trips", seen["round_trips"], symbol=symbol)
        self._grow("gridmesh_fills", seen["entry_fills"], symbol=symbol, side="entry")
        self._grow("gridmesh_fills", seen["exit_fills"], symbol=symbol, side="exit")
        self._grow("gridmesh_taker_fills", seen["taker_fills"], symbol=symbol)
        for name, count in seen["counts"].items():
            if name.startswith("refused_"):
                self._grow("gridmesh_orders_refused", count, symbol=symbol, reason=name.removeprefix("refused_"))
        phases = Counter(level["phase"] for level in seen["levels"])
        for phase in Phase:
            self._gauges.set("gridmesh_slots", phases[phase.value], symbol=symbol, phase=phase.value)

    def _grow(self, name: str, total: int, **tags: str) -> None:
        """Count what was added since the last look. Totals that the journal keeps are counted whole at the first."""
        key = (name, "\n".join(tags.values()))
        grown = total - self._counted.get(key, 0)
        self._counted[key] = total
        if grown > 0:
            self._gauges.count(name, grown, **tags)
