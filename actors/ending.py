"""How a process of ours ends when it can no longer be trusted: at once, so that its keeper starts it again."""

from __future__ import annotations

import os


def end_process() -> None:
    """End this process now, whatever else runs in it."""
    os._exit(1)
