"""Bugs on purpose: for each kind of fault one, to prove that the simulation would find it."""

from __future__ import annotations

from tests.simulation.planted import (
    account,
    actors,
    calls,
    crashes,
    likeness,
    market,
    operation,
    ownership,
    stream,
    venue,
    ways,
)
from tests.simulation.planted.bug import Bug, TraitBug

BUGS: tuple[Bug, ...] = (
    *actors.BUGS,
    *stream.BUGS,
    *calls.BUGS,
    *account.BUGS,
    *market.BUGS,
    *crashes.BUGS,
    *operation.BUGS,
    *venue.BUGS,
    *ownership.BUGS,
)
"""One for each kind of fault."""
TRAIT_BUGS: tuple[TraitBug, ...] = (*likeness.BUGS, *ways.BUGS, *ownership.TRAIT_BUGS)
"""One for each trait of a deployment."""
