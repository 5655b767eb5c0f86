"""Processes that may end while they are looked at: what is gone has no words, and needs no end."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import psutil


def words_of(process: psutil.Process) -> str:
    """Return the command line of a living process; empty for one that has ended, or of which only the entry is left."""
    try:
        return "" if process.status() == psutil.STATUS_ZOMBIE else " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def left_of(processes: Iterable[psutil.Process], within_s: float) -> list[str]:
    """Return the command lines of those who still live, once that is nobody or so much time is over."""
    _, alive = psutil.wait_procs(list(processes), timeout=within_s)
    return [words for one in alive if (words := words_of(one))]


def end_all(processes: Iterable[psutil.Process]) -> None:
    """Kill those who live, each by its own id."""
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            one.kill()  # psutil sees to it that it is still the same one
