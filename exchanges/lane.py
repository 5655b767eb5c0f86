"""Lanes of the one limiter of an account, the most urgent first."""

from __future__ import annotations

from enum import IntEnum


class Lane(IntEnum):
    """What a request is for. A lower value never waits behind a higher one."""

    CANCEL = 0
    EXIT = 1
    ENTRY = 2
    READ = 3
