"""Ports of this machine at which nobody listens, and at which nobody else begins to meanwhile."""

from __future__ import annotations

import random
import socket
from collections.abc import Sequence
from contextlib import ExitStack

OURS = range(20_100, 32_700)
"""Below those that the system hands out by itself: one of those, once let go, may be another's a moment later."""


def free_ports(count: int, among: Sequence[int] = OURS) -> list[int]:
    """Return so many, each another."""
    found: list[int] = []
    with ExitStack() as stack:
        for port in random.sample(among, len(among)):
            held = stack.enter_context(socket.socket())
            try:
                held.bind(("", port))
            except OSError:
                continue  # somebody has it
            found.append(port)
            if len(found) == count:
                return found
    raise AssertionError(f"no {count} ports are free among {among}")


def free_port() -> int:
    """Return one."""
    return free_ports(1)[0]
