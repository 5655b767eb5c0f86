"""SIGINT and SIGTERM, heard from the first moment of a verb that starts something until its end."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """Asked to end before anything traded. No `Exception`: nothing on the way may take it for a failure of its own."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name} while starting; nothing was placed")
        self.number = number


class StopSignals:
    """This process's one ear for both signals.

    Until somebody takes them, a signal raises `Interrupted`; while something is started that must not be broken off,
    it waits; afterwards the taker is told, as often as it comes.
    """

    def __init__(self) -> None:
        self.number = 0
        self._is_deferred = False
        self._is_listening = False
        self._tell: Callable[[], None] | None = None

    def listen(self) -> None:
        """Put the handlers in place; again where a library has put its own."""
        self._is_listening = True
        for number in SIGNALS:
            signal.signal(number, self._on_signal)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Let what is inside come to its end, then raise `Interrupted` if a signal came meanwhile."""
        self._is_deferred = True
        try:
            yield
        except SystemExit as end:
            # Ray's own handler of SIGTERM, which it sets while it starts, ends the process with the signal's number.
            if end.code != signal.SIGTERM or not self._is_listening:
                raise
            self.number = self.number or int(signal.SIGTERM)
        finally:
            self._is_deferred = False
            if self._is_listening:
                self.listen()
        if self.number and self._tell is None:
            raise Interrupted(self.number)

    def pass_to(self, tell: Callable[[], None]) -> None:
        """Tell this one from now on; at once where a signal has come already."""
        self._tell = tell
        self.listen()
        if self.number:
            tell()

    def _on_signal(self, number: int, frame: object) -> None:
        self.number = self.number or number
        # While Ray starts, its own handler comes first and sets an alarm that would abort the process.
        signal.alarm(0)
        if self._tell is not None:
            self._tell()
        elif not self._is_deferred:
            raise Interrupted(number)


stop_signals = StopSignals()
"""The process has one table of signals, hence one of these."""
