"""How long things take in the gateway, gathered between two looks: an order on its way only appends a number."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from actors.clock import Clock
from exchanges.desk.commands import Effects, Send
from exchanges.lane import Lane

KEPT = 10_000
"""Samples of a kind between two looks, a second apart; the oldest give way. No limiter lets as many orders pass."""
MS_NS = 1_000_000


def _samples() -> deque[float]:
    return deque(maxlen=KEPT)


@dataclass(slots=True)
class Samples:
    """What was measured since the last look."""

    quote_to_entry_ms: deque[float] = field(default_factory=_samples)
    """From the quote that moved the window, as the feed's host dates it, to the release of the entry."""
    fill_to_exit_ms: deque[float] = field(default_factory=_samples)
    """From a fill's arrival at the desk to the release of its exit, its wait for the limiter included."""
    journal_us: deque[float] = field(default_factory=_samples)
    lane_wait_ms: deque[tuple[str, float]] = field(default_factory=lambda: deque(maxlen=KEPT))
    """(lane, wait for the limiter)."""
    venue_call_ms: deque[tuple[str, str, float]] = field(default_factory=lambda: deque(maxlen=KEPT))
    """(call, outcome, from the write to the answer)."""


class Timings:
    """One gateway's stopwatches. Used from one thread; changes no decision."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._samples = Samples()
        self._begun_ns: dict[str, int] = {}
        """By client id, while the order waits for its release: when what caused it came."""

    def now_ns(self) -> int:
        """Return the monotonic time."""
        return self._clock.monotonic_ns()

    def quoted_ns(self, quoted_ms: int) -> int:
        """Return when a quote of that wall-clock time came, on the monotonic clock."""
        return self.now_ns() - max(0, self._clock.now_ms() - quoted_ms) * MS_NS

    def caused(self, effects: Effects, lane: Lane, cause_ns: int) -> None:
        """Remember what caused the orders of this lane that the effects send."""
        for command in effects.commands:
            if isinstance(command, Send) and command.lane is lane:
                self._begun_ns[command.client_id] = cause_ns
        while len(self._begun_ns) > KEPT:
            del self._begun_ns[next(iter(self._begun_ns))]

    def released(self, client_id: str, *, closing: bool) -> None:
        """An order is about to be written to the wire."""
        begun_ns = self._begun_ns.pop(client_id, None)
        if begun_ns is not None:
            passed_ms = (self.now_ns() - begun_ns) / MS_NS
            (self._samples.fill_to_exit_ms if closing else self._samples.quote_to_entry_ms).append(passed_ms)

    def kept_back(self, client_id: str) -> None:
        """An order was not released, and its id never will be."""
        self._begun_ns.pop(client_id, None)

    def journalled(self, begun_ns: int) -> None:
        """Records were committed."""
        self._samples.journal_us.append((self.now_ns() - begun_ns) / 1_000)

    def waited(self, lane: Lane, waited_ns: int) -> None:
        """The limiter let something go."""
        self._samples.lane_wait_ms.append((lane.name.lower(), waited_ns / MS_NS))

    def answered(self, call: str, outcome: str, begun_ns: int) -> None:
        """A call to the venue has ended."""
        self._samples.venue_call_ms.append((call, outcome, (self.now_ns() - begun_ns) / MS_NS))

    def take(self) -> Samples:
        """Return what was measured since the last call."""
        taken, self._samples = self._samples, Samples()
        return taken
