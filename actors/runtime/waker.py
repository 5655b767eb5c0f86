"""The alarm clock of a synchronous actor: a message to itself, so that time too comes through its mailbox."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from actors.clock import Clock

REPEAT_MS = 5_000
"""A call that brought no new appointment was lost: it rings again after this."""


class ThreadWaker:
    """Calls `ring` at the time appointed last. Sleeps otherwise: an idle actor costs nothing."""

    def __init__(self, name: str, ring: Callable[[], None], clock: Clock) -> None:
        self._ring = ring
        self._clock = clock
        self._appointments: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"waker {name}", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._appointments.put(None)
        self._thread.join(5)

    def wake_in(self, delay_ms: int) -> None:
        """Ring once, so far from now; a newer call replaces an older."""
        self._appointments.put(self._now_ms() + delay_ms)

    def _run(self) -> None:
        at_ms: int | None = None
        while True:
            wait_s = None if at_ms is None else max(0, at_ms - self._now_ms()) / 1000
            try:
                at_ms = self._appointments.get(timeout=wait_s)
                if at_ms is None:
                    return
            except queue.Empty:
                self._ring()
                at_ms = self._now_ms() + REPEAT_MS

    def _now_ms(self) -> int:
        return self._clock.monotonic_ns() // 1_000_000
