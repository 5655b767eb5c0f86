"""How a process of ours ends when it can no longer be trusted: at once, so that its keeper starts it again."""

from __future__ import annotations

import os
from collections.abc import Callable

WORDS_MAX = 300
_heralds: list[Callable[[str], None]] = []


def end_process() -> None:
    """End this process now, whatever else runs in it."""
    os._exit(1)


def on_last_words(tell: Callable[[str], None] | None) -> None:
    """Have somebody told why this process is about to end; None: nobody."""
    _heralds[:] = [] if tell is None else [tell]


def last_words(why: str) -> None:
    """Tell why this process is about to end; what is longer than a line is cut."""
    for tell in _heralds:
        tell(why.strip()[:WORDS_MAX])
