"""A process that may be stopped for a while: what comes meanwhile waits, and is done in its order when it goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from actors.virtual.agenda import Agenda
from exchanges.desk.events import Instant

Action = Callable[[], None]


class Process:
    """One life of a process, with the agenda as it has it: a stopped one's timers come due and wait."""

    def __init__(self, agenda: Agenda, is_alive: Callable[[], bool]) -> None:
        self._agenda = agenda
        self.is_alive = is_alive
        self._until_ms: int | None = None
        self._waiting: deque[Action] = deque()
        self._is_in_turn = False

    @property
    def is_stopped(self) -> bool:
        """Whether it does nothing now, or has still to do what came before."""
        return self._until_ms is not None or (bool(self._waiting) and not self._is_in_turn)

    @property
    def now_ms(self) -> int:
        """Return the monotonic clock."""
        return self._agenda.now_ms

    @property
    def wall_ms(self) -> int:
        """Return the wall clock."""
        return self._agenda.wall_ms

    def instant(self) -> Instant:
        """Return both clocks."""
        return self._agenda.instant()

    def at(self, at_ms: int, what: str, about: object, action: Action) -> None:
        """Plan a step of this process."""
        self._agenda.at(at_ms, what, about, lambda: self.do(action))

    def after(self, delay_ms: int, what: str, about: object, action: Action) -> None:
        """Plan a step of this process so far from now."""
        self._agenda.after(delay_ms, what, about, lambda: self.do(action))

    def tick(self, delay_ms: int, what: str, action: Action) -> None:
        """Plan a timer of this process."""
        self._agenda.tick(delay_ms, what, lambda: self.do(action))

    def do(self, action: Action) -> None:
        """Do something now, or when the process goes on."""
        if self.is_stopped:
            self._waiting.append(action)
        elif self.is_alive():
            action()

    def stop(self, for_ms: int) -> None:
        """Stop it between two events."""
        self._until_ms = max(self._until_ms or 0, self._agenda.now_ms + for_ms)
        self._agenda.at(self._until_ms, "goes on", "", self._go_on)

    def stop_before(self, for_ms: int, rest: Action) -> None:
        """Stop it in the middle of something, of which this is the rest."""
        self._waiting.appendleft(rest)
        self.stop(for_ms)

    def wake(self) -> None:
        """Let it go on now."""
        if self._until_ms is not None:
            self._until_ms = self._agenda.now_ms
            self._agenda.at(self._until_ms, "goes on", "", self._go_on)

    def _go_on(self) -> None:
        if not self.is_alive():
            self._waiting.clear()
            return
        if self._until_ms is not None and self._until_ms > self._agenda.now_ms:
            return
        self._until_ms = None
        if self._waiting:
            action = self._waiting.popleft()
            self._is_in_turn = True
            try:
                action()
            finally:
                self._is_in_turn = False
        if self._waiting and self._until_ms is None:
            self._agenda.after(0, "goes on", "", self._go_on)
