"""At-least-once delivery as the receiver sees it."""

from __future__ import annotations

from actors.mail.mailbox import HOLES_MAX, Arrival, Mailbox
from actors.mail.messages import Envelope
from risk.lease import Go


def letter(sequence: int, *, sender: str = "feed/ETHUSDT", incarnation: str = "1") -> Envelope:
    return Envelope(
        sender=sender, incarnation=incarnation, sequence=sequence, message=Go(number=sequence, incarnation=1)
    )


def test_letters_in_order_are_all_fresh() -> None:
    mailbox = Mailbox()

    arrivals = [mailbox.accept(letter(number)) for number in (1, 2, 3)]

    assert arrivals == [Arrival.FIRST, Arrival.IN_ORDER, Arrival.IN_ORDER]


def test_a_doubled_letter_is_dropped() -> None:
    mailbox = Mailbox()
    mailbox.accept(letter(1))
    mailbox.accept(letter(2))

    assert [mailbox.accept(letter(number)).is_fresh for number in (2, 1, 2)] == [False, False, False]
    assert mailbox.counts["double"] == 3


def test_an_overtaken_letter_is_handled_once_and_the_gap_asks_for_the_whole() -> None:
    mailbox = Mailbox()
    mailbox.accept(letter(1))

    jump, late, again = mailbox.accept(letter(4)), mailbox.accept(letter(2)), mailbox.accept(letter(2))

    assert (jump, jump.needs_whole) == (Arrival.GAP, True)
    assert (late, late.is_fresh, late.needs_whole) == (Arrival.LATE, True, False)
    assert again is Arrival.DOUBLE


def test_a_new_receiver_takes_what_was_not_acknowledged_even_after_a_later_letter() -> None:
    mailbox = Mailbox()

    arrivals = [mailbox.accept(letter(number)) for number in (9, 7, 8, 7)]

    assert arrivals == [Arrival.FIRST, Arrival.LATE, Arrival.LATE, Arrival.DOUBLE]


def test_a_reborn_sender_starts_anew_and_its_dead_self_is_not_heard() -> None:
    mailbox = Mailbox()
    mailbox.accept(letter(40))

    reborn = mailbox.accept(letter(1, incarnation="2"))
    dead = mailbox.accept(letter(41, incarnation="1"))

    assert (reborn, reborn.is_fresh, reborn.needs_whole) == (Arrival.REBORN, True, True)
    assert (dead, dead.is_fresh) == (Arrival.DEAD, False)
    assert mailbox.accept(letter(2, incarnation="2")) is Arrival.IN_ORDER


def test_a_life_that_was_replaced_while_it_was_cut_off_is_not_taken_for_a_newer_one() -> None:
    mailbox = Mailbox()
    mailbox.accept(letter(1, incarnation="1700000060000.7"))

    cut_off = mailbox.accept(letter(90, incarnation="1700000000000.3"))

    assert (cut_off, cut_off.is_fresh) == (Arrival.DEAD, False)
    assert mailbox.accept(letter(2, incarnation="1700000060000.7")) is Arrival.IN_ORDER


def test_a_clock_that_was_set_back_a_little_makes_nobody_deaf_to_a_new_life() -> None:
    mailbox = Mailbox()
    mailbox.accept(letter(5, incarnation="1700000060000.7"))

    assert mailbox.accept(letter(1, incarnation="1700000058000.9")) is Arrival.REBORN


def test_senders_do_not_disturb_each_other() -> None:
    mailbox = Mailbox()
    mailbox.accept(letter(5))

    assert mailbox.accept(letter(5, sender="gateway/x/main")) is Arrival.FIRST


def test_holes_older_than_the_memory_are_given_up() -> None:
    mailbox = Mailbox()
    mailbox.accept(letter(1))
    mailbox.accept(letter(HOLES_MAX + 100))

    assert mailbox.accept(letter(2)) is Arrival.DOUBLE
    assert mailbox.accept(letter(HOLES_MAX + 99)) is Arrival.LATE
