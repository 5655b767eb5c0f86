"""What a planted bug is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.simulation.faults import Kind
from tests.simulation.traits import Trait

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A patch and the one kind of fault that brings it to light.

    `kin` are other kinds that reach the same code by nature, each of them a part or a cause of the same trouble.
    """

    kind: Kind
    plant: Plant
    kin: frozenset[Kind] = frozenset()
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    """Where to look: the first that fails ends the search."""
    traits: frozenset[Trait] = frozenset()
    """What the deployment has to be like for the fault to matter."""

    @property
    def name(self) -> str:
        """Return what is broken."""
        return self.plant.__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitBug:
    """A patch that only a deployment of one trait brings to light; `beside` are traits that both have."""

    trait: Trait
    plant: Plant
    kinds: tuple[Kind, ...] = ()
    beside: frozenset[Trait] = frozenset()
    seeds: tuple[int, ...] = tuple(range(10))
