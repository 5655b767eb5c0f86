"""Ports of this machine at which nobody listens, and at which nobody else begins to meanwhile."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import count

OURS = range(20_100, 32_700)
"""Below those that the system hands out by itself: one of those, once let go, may be another's a moment later."""
STRIDE = 7919
"""Apart from what other processes of the tests take: a prime, so that every port is tried."""
_turns = count()


def free_ports(wanted: int, among: Sequence[int] = OURS) -> list[int]:
    """Return so many, each another, and others the next time."""
    found: list[int] = []
    with ExitStack() as stack:
        for turn, _ in zip(_turns, among, strict=False):
            port = among[(os.getpid() + turn) * STRIDE % len(among)]
            held = stack.enter_context(socket.socket())
            try:
                held.bind(("", port))
            except OSError:
                continue  # somebody has it
            found.append(port)
            if len(found) == wanted:
                return found
    raise AssertionError(f"no {wanted} ports are free among {among}")


def free_port() -> int:
    """Return one."""
    return free_ports(1)[0]
