"""At-least-once delivery as the receiver sees it."""

from __future__ import annotations

from actors.mail.mailbox import FORMER_MAX, HEARD_AGAIN, HOLES_MAX, Arrival, Mailbox
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


OLD, PRESENT = "1700000055000.3", "1700000060000.7"
"""Lives too close to each other for their clocks to say which is the older."""


def test_a_late_word_of_a_life_just_before_does_not_silence_the_living_for_ever() -> None:
    mailbox = Mailbox()
    mailbox.accept(letter(1, incarnation=PRESENT))
    assert mailbox.accept(letter(4, incarnation=OLD)) is Arrival.REBORN

    arrivals = [mailbox.accept(letter(number, incarnation=PRESENT)) for number in range(2, 4 + HEARD_AGAIN)]

    assert arrivals == [Arrival.DEAD] * (HEARD_AGAIN - 1) + [Arrival.REBORN] + [Arrival.IN_ORDER] * 2
    assert mailbox.accept(letter(5, incarnation=OLD)) is Arrival.DEAD


def test_words_of_a_former_life_between_those_of_the_present_one_are_never_handled() -> None:
    mailbox = Mailbox()
    mailbox.accept(letter(30, incarnation=OLD))
    mailbox.accept(letter(1, incarnation=PRESENT))

    for number in range(2, 4 + HEARD_AGAIN):
        for sequence in range(31, 30 + HEARD_AGAIN):
            assert mailbox.accept(letter(sequence, incarnation=OLD)) is Arrival.DEAD
        assert mailbox.accept(letter(number, incarnation=PRESENT)) is Arrival.IN_ORDER


def test_words_of_several_former_lives_do_not_add_up() -> None:
    mailbox = Mailbox()
    lives = [f"17000000{second}000.1" for second in (51, 53, 55)]
    for life in lives:
        mailbox.accept(letter(1, incarnation=life))

    assert [mailbox.accept(letter(2, incarnation=life)) for life in lives[:2] * HEARD_AGAIN] == (
        [Arrival.DEAD] * 2 * HEARD_AGAIN
    )


def test_a_life_that_is_older_beyond_doubt_is_not_heard_however_much_it_says() -> None:
    mailbox = Mailbox()
    mailbox.accept(letter(1, incarnation="1700000000000.3"))
    mailbox.accept(letter(1, incarnation=PRESENT))

    arrivals = {mailbox.accept(letter(number, incarnation="1700000000000.3")) for number in range(2, 99)}

    assert arrivals == {Arrival.DEAD}


def test_what_a_life_said_before_it_is_heard_again_is_not_handled_twice() -> None:
    mailbox = Mailbox()
    mailbox.accept(letter(1, incarnation=PRESENT))
    mailbox.accept(letter(4, incarnation=OLD))
    arrivals = [mailbox.accept(letter(number, incarnation=PRESENT)) for number in range(2, 2 + HEARD_AGAIN)]
    assert arrivals[-1] is Arrival.REBORN

    assert mailbox.accept(letter(1, incarnation=PRESENT)) is Arrival.DOUBLE


def test_the_oldest_life_that_is_remembered_is_heard_again_too() -> None:
    mailbox = Mailbox()
    lives = [f"1700000000{millisecond:03d}.1" for millisecond in range(1 + FORMER_MAX)]
    for life in lives:
        assert mailbox.accept(letter(1, incarnation=life)).is_fresh

    arrivals = [mailbox.accept(letter(number, incarnation=lives[0])) for number in range(2, 2 + HEARD_AGAIN)]

    assert arrivals[-1] is Arrival.REBORN
    assert mailbox.accept(letter(2, incarnation=lives[-1])) is Arrival.DEAD


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
