"""Bugs on purpose: for each kind of fault one, to prove that the simulation would find it."""

from __future__ import annotations

from tests.simulation.planted import account, actors, calls, crashes, market, stream
from tests.simulation.planted.bug import Bug

BUGS: tuple[Bug, ...] = (*actors.BUGS, *stream.BUGS, *calls.BUGS, *account.BUGS, *market.BUGS, *crashes.BUGS)
