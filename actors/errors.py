"""What can go wrong between a command and a run, named by what the caller should do."""

from __future__ import annotations

from grid.errors import GridmeshError


class NotRunning(GridmeshError):
    """There is no run to talk to; start one, or name another deployment."""


class RunDied(GridmeshError):
    """The run has ended by itself and could verify nothing; look at the venue, or start it again."""


class NotFound(GridmeshError):
    """What was named does not exist; the message names what does."""


class TimedOut(GridmeshError):
    """No answer in time; whether it was done is unknown, so look before repeating it."""


class NotInstalled(GridmeshError):
    """A part of the program cannot be loaded; the installation is not whole."""
