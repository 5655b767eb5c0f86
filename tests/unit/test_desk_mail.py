"""Which slots a slot actor is told about when it has started."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from actors.mail.desk_mail import states_missed, states_wanted
from actors.mail.messages import SetupWanted, SlotsKnown
from exchanges.desk.events import StatesWanted
from grid.book import Book
from grid.lot import Lot
from grid.slot import SlotKey
from grid.symbol_book import SymbolBook
from tests.grid_setup import example_setup

LOT = Lot(quantity=10, cost=Decimal(30), target=300_000)


def key(level: int, generation: int = 2) -> SlotKey:
    return SlotKey(symbol="ETHUSDT", generation=generation, level=level)


def asked(*remainders: int) -> SetupWanted:
    return SetupWanted(receiver="slot/ETHUSDT/1", symbol="ETHUSDT", remainders=remainders, modulus=4)


def book_of(*keys: SlotKey) -> SymbolBook:
    book = SymbolBook(symbol="ETHUSDT")
    for one in keys:
        book.slots[one] = book.slot(one)
    return book


def test_an_actor_is_told_of_its_levels_of_every_generation_and_of_no_other() -> None:
    book = book_of(key(0), key(1), key(5, generation=1), key(-3), key(6))

    told = states_wanted(asked(1), book, 2).keys

    assert told == (key(1), key(5, generation=1), key(-3))


def test_an_actor_without_slots_is_told_one_word_of_the_present_generation() -> None:
    assert states_wanted(asked(3, 2), book_of(key(0)), 2).keys == (key(2),)


def missed(epoch: int, **versions: int) -> StatesWanted | None:
    """Ask about levels 1 (of version 3), 2 (another actor's) and 5 (of version 7), with a lot, at epoch 4."""
    book = Book()
    book.halt_epoch, symbol = 4, book.symbol("ETHUSDT")
    for level, version in ((1, 3), (2, 9), (5, 7)):
        symbol.slots[key(level)] = replace(symbol.slot(key(level)), version=version, lot=LOT if level == 5 else None)
    symbol.generations[2] = example_setup(generation=2).generation
    known = SlotsKnown(
        receiver="slot/ETHUSDT/1",
        symbol="ETHUSDT",
        remainders=(1,),
        modulus=4,
        halt_epoch=epoch,
        versions=tuple((key(int(name[1:])), version) for name, version in versions.items()),
    )
    return states_missed(known, book)


@pytest.mark.parametrize(
    ("epoch", "versions", "wanted"),
    [
        (4, {"_1": 3, "_5": 7}, None),
        (4, {"_1": 2, "_5": 7}, (1,)),
        (4, {"_1": 3, "_5": 0}, (5,)),
        (3, {"_1": 3, "_5": 7}, (1,)),
        (4, {"_1": 3}, (5,)),  # a lot of which it never heard
        (4, {"_5": 7}, None),  # an empty level that it forgot
    ],
)
def test_an_actor_is_told_again_what_it_missed_and_nothing_else(
    epoch: int, versions: dict[str, int], wanted: tuple[int, ...] | None
) -> None:
    found = missed(epoch, **versions)

    assert (None if found is None else tuple(one.level for one in found.keys)) == wanted
