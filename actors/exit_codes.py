"""From the error tree to the exit code, in this one place."""

from __future__ import annotations

from enum import IntEnum

from actors.errors import NotFound, NotRunning, RunDied, TimedOut
from actors.stop_signals import Interrupted
from exchanges.errors import Refusal, VenueRefused
from grid.errors import ConfigError, Halted, RefusedToStart


class ExitCode(IntEnum):
    """What the shell sees. 2 is also the command line's own word for wrong usage."""

    OK = 0
    ERROR = 1
    NOT_FOUND = 2
    NOT_RUNNING = 3
    CONFIGURATION = 4
    TIMED_OUT = 5
    HALTED = 6
    REFUSED_TO_START = 7
    RUN_DIED = 8
    INTERRUPTED = 130
    TERMINATED = 143


BY_ERROR: tuple[tuple[type[BaseException], ExitCode], ...] = (
    (NotFound, ExitCode.NOT_FOUND),
    (NotRunning, ExitCode.NOT_RUNNING),
    (ConfigError, ExitCode.CONFIGURATION),
    (RunDied, ExitCode.RUN_DIED),
    (TimedOut, ExitCode.TIMED_OUT),
    (TimeoutError, ExitCode.TIMED_OUT),
    (Halted, ExitCode.HALTED),
    (RefusedToStart, ExitCode.REFUSED_TO_START),
    (KeyboardInterrupt, ExitCode.INTERRUPTED),
)


def exit_code(error: BaseException) -> ExitCode:
    """Return the code of an error; a key that the venue refuses counts as configuration."""
    if isinstance(error, Interrupted):
        return ExitCode(128 + error.number)
    if isinstance(error, VenueRefused) and error.refusal is Refusal.CREDENTIALS:
        return ExitCode.CONFIGURATION
    return next((code for kind, code in BY_ERROR if isinstance(error, kind)), ExitCode.ERROR)
