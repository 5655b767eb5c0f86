"""The claimant's side of a lease: when he may send, in times of his own clock alone (trading rule 22). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from actors.ownership.register import Granted, Held, Stage, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTerms:
    """The bounds, in ms.

    `skew_ms` bounds all clocks' disagreement within one lease: ours, the store's, and our idea of the venue's.
    """

    lease_ms: int
    skew_ms: int
    recv_window_ms: int
    margin_ms: int = 1_000

    @property
    def silence_ms(self) -> int:
        """Nothing is sent within so long of the lease's end: the venue takes a request until its window is over."""
        return self.recv_window_ms + self.skew_ms

    @property
    def wait_out_ms(self) -> int:
        """So long after a lease's end nothing of its holder can arrive any more."""
        return self.recv_window_ms + self.skew_ms + self.margin_ms

    @property
    def renew_every_ms(self) -> int:
        """A holder renews so often: two renewals may fail before he falls silent."""
        return (self.lease_ms - self.silence_ms) // 3

    @property
    def quarantine_ms(self) -> int:
        """So long a store that may have forgotten a holder grants nothing."""
        return self.lease_ms + self.skew_ms


class LeasePhase(Enum):
    """Where a claimant stands."""

    SEEKING = "seeking"
    WAITING_OUT = "waiting_out"
    """Granted; a former holder's last request may still arrive."""
    HOLDING = "holding"
    SILENT = "silent"
    """A holder whose renewals do not come through: he sends nothing, and may be the holder again."""
    LOST = "lost"
    """Somebody else may have held it since: the end of this claimant."""


class Lease:
    """One claimant. Times are ms of a clock that also runs while the machine is suspended."""

    def __init__(self, terms: LeaseTerms) -> None:
        self.terms = terms
        self.rival: Held | None = None
        """Who has it, by the last verdict against us."""
        self._ends_ms = 0
        self._clear_ms: int | None = None
        self._has_begun = False
        self._is_lost = False

    def take(self, verdict: Verdict, *, asked_ms: int, now_ms: int) -> None:
        """Take the store's verdict on a claim that was made at `asked_ms`: the lease counts from there."""
        match verdict:
            case Granted(ended_ms_ago=ended_ms_ago):
                self.rival = None
                if not self._has_begun:
                    # Every grant counts: one who slept in his wait may be granted again after yet another holder.
                    waited_ms = self.terms.wait_out_ms if ended_ms_ago is None else ended_ms_ago
                    clear_ms = now_ms + max(0, self.terms.wait_out_ms - waited_ms)
                    self._clear_ms = max(self._clear_ms or clear_ms, clear_ms)
                self._ends_ms = max(self._ends_ms, asked_ms + self.terms.lease_ms)
            case Held():
                self.rival = verdict
                self._is_lost = self._has_begun
                self._clear_ms, self._ends_ms = None, 0

    def begin(self, now_ms: int) -> bool:
        """Return whether this claimant may act as the holder from now on; asked again until it is so."""
        self._has_begun = self._has_begun or self._may_send(now_ms)
        return self._has_begun

    def may_send(self, now_ms: int) -> bool:
        """Whether a request whose time stamp was taken before `now_ms` may be written now."""
        return self._has_begun and self._may_send(now_ms)

    def stage(self, now_ms: int) -> Stage:
        """Return what to say in a claim."""
        if not self._has_begun:
            return Stage.NEW
        return Stage.HOLDING if now_ms < self._ends_ms else Stage.LAPSED

    def phase(self, now_ms: int) -> LeasePhase:
        """Return where the claimant stands."""
        if self._is_lost:
            return LeasePhase.LOST
        if self._has_begun:
            return LeasePhase.HOLDING if self._may_send(now_ms) else LeasePhase.SILENT
        return LeasePhase.SEEKING if self._clear_ms is None else LeasePhase.WAITING_OUT

    def silent_in_ms(self, now_ms: int) -> int:
        """Return how long the holder may still send without a renewal."""
        return max(0, self._ends_ms - self.terms.silence_ms - now_ms)

    def clear_in_ms(self, now_ms: int) -> int:
        """Return how long a claimant who was granted still waits."""
        return max(0, (self._clear_ms or now_ms) - now_ms)

    def _may_send(self, now_ms: int) -> bool:
        is_clear = self._clear_ms is not None and now_ms >= self._clear_ms
        return not self._is_lost and is_clear and now_ms < self._ends_ms - self.terms.silence_ms
