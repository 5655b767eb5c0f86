"""The lease store of a virtual world: one record, the common judgement, a clock of its own, and what befalls it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from actors.ownership.register import Claim, Granted, Record, Verdict, judge
from actors.virtual.agenda import Agenda
from actors.virtual.mishaps import CallFate, CallKind, Mishaps
from actors.virtual.settings import Latency

LONG_AGO_MS = 3_600_000


class VirtualLeases:
    """It begins with the record of a lease that ended long ago."""

    def __init__(self, agenda: Agenda, latency: Latency, mishaps: Mishaps, rng: Random) -> None:
        self._agenda = agenda
        self._latency = latency
        self._mishaps = mishaps
        self._rng = rng
        self._life = 1
        self.record: Record | None = Record(
            token="nobody", holder=None, ends_ms=agenda.wall_ms - LONG_AGO_MS, renewals=0, life="1"
        )
        self._copy: Record | None = self.record
        self.step_ms = 0
        """How far its clock is off."""
        self.is_down = False
        self.cut: set[str] = set()
        """Hosts that do not reach it."""
        self.ends_ms: dict[str, int] = {}
        """By token: when its lease ends, by the store's clock at the last grant."""

    @property
    def now_ms(self) -> int:
        """Return the time by its own clock."""
        return self._agenda.wall_ms + self.step_ms

    def claim(self, host: str, claim: Claim, answer: Callable[[Verdict], None]) -> None:
        """Carry a claim there and the verdict back, where both arrive."""
        fate = self._mishaps.call(CallKind.LEASE, host, False)

        def arrive() -> None:
            if self.is_down or host in self.cut:
                return
            verdict, kept = judge(self.record, claim, self.now_ms, str(self._life))
            self.record = kept or self.record
            if isinstance(verdict, Granted):
                self.ends_ms[claim.token] = self.now_ms + claim.lease_ms
            if not fate.is_reply_lost:
                delay_ms = self._draw(self._latency.reply) + fate.reply_delay_ms
                self._agenda.after(delay_ms, "lease reply", verdict, lambda: back(verdict))

        def back(verdict: Verdict) -> None:
            if host not in self.cut:
                answer(verdict)

        self._send(claim, fate, arrive)

    def save(self) -> None:
        """Keep a copy, as a store does now and then."""
        self._copy = self.record

    def fail(self) -> None:
        """Answer nobody any more."""
        self.is_down = True

    def begin_anew(self, *, is_empty: bool) -> None:
        """Come back with nothing, or with the last copy."""
        self._life += 1
        self.is_down, self.record = False, None if is_empty else self._copy

    def _send(self, claim: Claim, fate: CallFate, arrive: Callable[[], None]) -> None:
        delay_ms = self._draw(self._latency.request) + fate.request_delay_ms
        if not fate.is_request_lost:
            about = f"{claim.holder.host} {claim.stage.value}"
            self._agenda.after(delay_ms, "lease", about, arrive)

    def _draw(self, bounds: tuple[int, int]) -> int:
        low, high = bounds
        return low if low == high else self._rng.randint(low, high)
