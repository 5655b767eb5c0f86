"""What a soak calls flat, and that it sees each thing that grows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actors.trials.soak_samples import MEGABYTE, Sample, judge

FLAT = [
    Sample(
        at_s=float(number),
        memory=2_000 * MEGABYTE + number % 3 * MEGABYTE,
        handles=1_000 + number % 2,
        actors=18,
        depth=number % 4,
        journal=MEGABYTE + number * 20_000,
        orders=number * 10,
    )
    for number in range(40)
]


def grown(field: str, by: int, begin: int = 20) -> list[Sample]:
    return [
        sample if number < begin else replace(sample, **{field: getattr(sample, field) + by * (number - begin)})
        for number, sample in enumerate(FLAT)
    ]


def growing(samples: list[Sample]) -> list[str]:
    return [verdict.name for verdict in judge(samples) if not verdict.is_flat]


def test_a_flat_run_is_flat() -> None:
    assert growing(FLAT) == []


@pytest.mark.parametrize(
    ("field", "by", "name"),
    [
        ("memory", 30 * MEGABYTE, "memory in MB"),
        ("handles", 12, "file handles"),
        ("actors", -1, "actors"),
        ("depth", 15, "mailbox depth"),
        ("journal", 2 * MEGABYTE, "journal in MB"),
    ],
)
def test_each_thing_that_grows_is_named(field: str, by: int, name: str) -> None:
    assert growing(grown(field, by)) == [name]


def test_a_journal_may_grow_with_its_orders() -> None:
    many = [replace(sample, journal=sample.journal + int(sample.at_s) * 600_000) for sample in FLAT]

    assert growing(many) == ["journal in MB"]
    assert growing([replace(sample, orders=sample.orders * 12) for sample in many]) == []


def test_a_run_too_short_to_show_anything_is_not_flat() -> None:
    assert growing(FLAT[:5]) == ["samples"]
