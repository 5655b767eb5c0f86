"""What a soak measures, and what flat means: the last quarter of a run against its second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look at a run. Memory and journal in bytes; `depth` is the deepest inner queue that an actor has."""

    at_s: float
    memory: int
    handles: int
    actors: int
    depth: int
    journal: int
    orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One measure over a run: its medians early and late, its highest, and whether it stayed flat."""

    name: str
    early: float
    late: float
    highest: float
    allowed: float
    is_flat: bool


SAMPLES_MIN = 8
MEGABYTE = 1024 * 1024
DEPTH_ALLOWED = 200
JOURNAL_PER_ORDER = 6_000
"""Bytes of journal for each order sent: intent, mark, fills, end and what the account's money adds."""
JOURNAL_BASE = 8 * MEGABYTE
"""What the file holds beside: its snapshot and the database's own pages, the write-ahead file among them."""


def judge(samples: Sequence[Sample]) -> list[Verdict]:
    """Judge a run; too short a run is flat in nothing, since it shows nothing."""
    if len(samples) < SAMPLES_MIN:
        return [_verdict("samples", float(len(samples)), SAMPLES_MIN, SAMPLES_MIN, 0.0, is_flat=False)]
    early, late = _quarter(samples, 1), _quarter(samples, 3)
    memory, handles = _medians(early, late, lambda s: s.memory), _medians(early, late, lambda s: s.handles)
    actors = _medians(early, late, lambda s: s.actors)
    depth = max(sample.depth for sample in late)
    journal_allowed = JOURNAL_BASE + JOURNAL_PER_ORDER * samples[-1].orders
    journal = _medians(early, late, lambda s: s.journal)
    memory_allowed = memory[0] * 1.15 + 32 * MEGABYTE
    handles_allowed = handles[0] * 1.1 + 16
    return [
        _verdict(
            "memory in MB",
            *_megabytes(*memory, max(s.memory for s in samples), memory_allowed),
            is_flat=memory[1] <= memory_allowed,
        ),
        _verdict(
            "file handles",
            *handles,
            max(s.handles for s in samples),
            handles_allowed,
            is_flat=handles[1] <= handles_allowed,
        ),
        _verdict("actors", *actors, max(s.actors for s in samples), actors[0], is_flat=actors[1] == actors[0]),
        _verdict(
            "mailbox depth",
            *_medians(early, late, lambda s: s.depth),
            depth,
            DEPTH_ALLOWED,
            is_flat=depth <= DEPTH_ALLOWED,
        ),
        _verdict(
            "journal in MB",
            *_megabytes(*journal, samples[-1].journal, journal_allowed),
            is_flat=samples[-1].journal <= journal_allowed,
        ),
    ]


def _quarter(samples: Sequence[Sample], index: int) -> Sequence[Sample]:
    size = len(samples) // 4
    return samples[index * size : (index + 1) * size] if index < 3 else samples[3 * size :]


def _medians(early: Sequence[Sample], late: Sequence[Sample], value: Callable[[Sample], int]) -> tuple[float, float]:
    return median(value(sample) for sample in early), median(value(sample) for sample in late)


def _megabytes(*amounts: float) -> tuple[float, float, float, float]:
    early, late, highest, allowed = (round(amount / MEGABYTE, 1) for amount in amounts)
    return early, late, highest, allowed


def _verdict(name: str, early: float, late: float, highest: float, allowed: float, *, is_flat: bool) -> Verdict:
    return Verdict(name=name, early=early, late=late, highest=highest, allowed=allowed, is_flat=is_flat)
