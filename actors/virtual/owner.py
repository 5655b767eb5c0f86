"""A gateway's ownership in a virtual world: the live claimant, driven by the agenda, with a clock of its host's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from actors.ownership.claimant import Asking, Claimant, Silence
from actors.ownership.errors import AccountTaken, LeaseForgotten
from actors.ownership.lease import Lease, LeaseTerms
from actors.ownership.register import Holder, Verdict
from actors.virtual.leases import VirtualLeases
from actors.virtual.mishaps import Mishaps, StallPoint
from actors.virtual.process import Process
from actors.virtual.settings import HostPlan

NO_ANSWER = "the store does not answer (TimeoutError)"


@dataclass(slots=True)
class HostClock:
    """A clock that runs while processes are stopped, at nearly the pace of the true one."""

    zero_ms: int
    rate_ppm: int = 0
    since_ms: int = 0

    def at(self, true_ms: int) -> int:
        """Return what it shows at a true time."""
        return self.zero_ms + true_ms + (true_ms - self.since_ms) * self.rate_ppm // 1_000_000

    def run_at(self, rate_ppm: int, true_ms: int) -> None:
        """Let it run at another pace from now on."""
        self.zero_ms = self.at(true_ms) - true_ms
        self.rate_ppm, self.since_ms = rate_ppm, true_ms


class VirtualOwner:
    """One life of a gateway as a claimant. `on_begun` is called once, `on_lost` with whether another has it."""

    def __init__(
        self,
        *,
        host: HostPlan,
        life: int,
        place: str,
        terms: LeaseTerms,
        patience_ms: int,
        clock: HostClock,
        leases: VirtualLeases,
        mishaps: Mishaps,
        process: Process,
        on_begun: Callable[[], None],
        on_lost: Callable[[bool], None],
    ) -> None:
        self.host = host
        self.process = process
        self.token = f"{host.name}.{life}"
        self._clock = clock
        self._leases = leases
        self._mishaps = mishaps
        self._patience_ms = patience_ms
        self._on_begun = on_begun
        self._on_lost = on_lost
        self.has_begun = False
        holder = Holder(deployment=host.name, host=host.name, pid=life, since_ms=0, place=place, actor=host.name)
        self.claimant = Claimant(
            lease=Lease(terms), token=self.token, holder=holder, where="the store", is_patient=host.is_patient
        )
        self._silence = Silence()

    def start(self) -> None:
        """Begin to ask."""
        self._ask()

    def may_send(self) -> bool:
        """Whether a request may be written now: the fence."""
        return self.claimant.lease.may_send(self.now_ms())

    def silent_in_ms(self) -> int:
        """Return how long it takes itself to be allowed to send."""
        return self.claimant.lease.silent_in_ms(self.now_ms()) if self.may_send() else 0

    def hold_change(self) -> tuple[bool, str] | None:
        """Return the word for the desk where the owner has fallen silent, or may speak again."""
        return self._silence.change(self.claimant.silence(self.now_ms()))

    def now_ms(self) -> int:
        """Return the time by the host's own clock."""
        return self._clock.at(self.process.now_ms)

    def _ask(self) -> None:
        asking, is_open = self.claimant.ask(self.now_ms()), True

        def hear(verdict: Verdict | None) -> None:
            nonlocal is_open
            if is_open:
                is_open = False
                self.process.do(lambda: self._hear(asking, verdict))

        self._leases.claim(self.host.name, asking.claim, hear)
        self.process.after(self._patience_ms, "lease", "no reply", lambda: hear(None))
        stalled_ms = self._mishaps.stall(StallPoint.ASKING) if self.has_begun else 0
        if stalled_ms:
            self.process.stop(stalled_ms)

    def _hear(self, asking: Asking, verdict: Verdict | None) -> None:
        if verdict is None:
            self.claimant.hear_nothing(NO_ANSWER)
        else:
            try:
                self.claimant.hear(asking, verdict, self.now_ms())
            except AccountTaken:
                self._on_lost(True)
                return
            except LeaseForgotten:
                self._on_lost(False)
                return
        if not self.has_begun and self.claimant.begin(self.now_ms()):
            self.has_begun = True
            self._on_begun()
        self.process.after(self.claimant.pause_ms(), "lease", self.host.name, self._ask)
