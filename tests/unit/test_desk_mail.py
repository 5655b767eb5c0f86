"""Which slots a slot actor is told about when it has started."""

from __future__ import annotations

from actors.mail.desk_mail import states_wanted
from actors.mail.messages import SetupWanted
from grid.slot import SlotKey
from grid.symbol_book import SymbolBook


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
