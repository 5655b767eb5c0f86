"""Client order ids: what they say, and whose they are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grid.client_id import ClientId, decode
from grid.errors import GridmeshError
from grid.order import Purpose

PLAIN = ClientId(
    journal="aZ09", symbol="ETHUSDT", generation=3, level=-17, purpose=Purpose.EXIT, owner_epoch=5, sequence=99
)


def test_an_id_fits_every_venue() -> None:
    text = PLAIN.encode()

    assert len(text) <= 28
    assert text.isascii()
    assert text.isalnum()
    assert not text.startswith("t")


def test_an_id_says_what_it_was_made_of() -> None:
    assert decode(PLAIN.encode(), "ETHUSDT") == PLAIN


@pytest.mark.parametrize(
    "changed",
    [
        replace(PLAIN, journal="aZ08"),
        replace(PLAIN, symbol="BTCUSDT"),
        replace(PLAIN, generation=4),
        replace(PLAIN, level=17),
        replace(PLAIN, purpose=Purpose.ENTRY),
        replace(PLAIN, owner_epoch=6),
        replace(PLAIN, sequence=100),
    ],
)
def test_any_part_makes_another_id(changed: ClientId) -> None:
    assert changed.encode() != PLAIN.encode()


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        "g",
        "web_1a2b3c4d5e6f7a8b9c0d",
        "autoclose-1700000000000000",
        "550e8400-e29b-41d4-a716-446655440000",
        "1234567890123456789",
        PLAIN.encode()[:-1],
        PLAIN.encode() + "0",
        "t" + PLAIN.encode()[1:],
        PLAIN.encode()[:-1] + "é",
    ],
)
def test_what_is_not_ours_is_refused(foreign: str) -> None:
    assert decode(foreign, "ETHUSDT") is None


@pytest.mark.parametrize("place", range(25))
def test_one_wrong_character_makes_it_foreign(place: int) -> None:
    text = PLAIN.encode()
    other = "A" if text[place] != "A" else "B"

    assert decode(text[:place] + other + text[place + 1 :], "ETHUSDT") is None


def test_an_id_of_another_symbol_is_foreign() -> None:
    assert decode(PLAIN.encode(), "BTCUSDT") is None


@pytest.mark.parametrize(
    "unfit",
    [
        replace(PLAIN, journal="abc"),
        replace(PLAIN, journal="ab-d"),
        replace(PLAIN, generation=62**2),
        replace(PLAIN, level=62**4 // 2),
        replace(PLAIN, level=-(62**4) // 2 - 1),
        replace(PLAIN, owner_epoch=62**3),
        replace(PLAIN, sequence=62**5),
        replace(PLAIN, sequence=-1),
    ],
)
def test_a_part_out_of_range_is_refused_rather_than_wrapped(unfit: ClientId) -> None:
    with pytest.raises(GridmeshError):
        unfit.encode()
