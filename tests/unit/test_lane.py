"""A sender's queue to one receiver: nothing lost, in order, small."""

from __future__ import annotations

from random import Random

from actors.mail.lane import ANSWER_DUE_MS, IN_FLIGHT_MAX, PAUSE_LAST_MS, WAITING_MAX, Lane
from actors.mail.mailbox import Arrival, Mailbox
from actors.mail.messages import Alarms, Envelope, FeedWord, Message, SetupWanted
from grid.intent import Standing
from grid.window import Alarm
from tests.grid_setup import example_setup


def word(number: int) -> Message:
    """A message that is never merged with another of these."""
    return SetupWanted(receiver=f"slot/ETHUSDT/{number:02d}", symbol="ETHUSDT")


def names(sent: list[tuple[int, Envelope]]) -> list[int]:
    return [envelope.sequence for _, envelope in sent]


def test_messages_go_out_at_once_numbered_from_one() -> None:
    lane = Lane("feed", "1")
    for number in range(3):
        lane.post(word(number))

    assert names(lane.take(0)) == [1, 2, 3]
    assert lane.unacknowledged == 3


def test_an_acknowledged_message_is_forgotten() -> None:
    lane = Lane("feed", "1")
    lane.post(word(1))
    [(attempt, envelope)] = lane.take(0)

    lane.acknowledged(envelope.sequence, attempt)

    assert (lane.unacknowledged, lane.due_ms()) == (0, None)


def test_after_a_failure_all_under_way_goes_again_in_order_one_at_a_time() -> None:
    lane = Lane("feed", "1")
    for number in range(3):
        lane.post(word(number))
    sent = lane.take(0)

    lane.failed(2, sent[1][0], 0)

    assert lane.take(0) == []
    first = lane.take(50)
    assert names(first) == [1]
    lane.acknowledged(1, first[0][0])
    assert names(lane.take(50)) == [2, 3]
    assert lane.resends == 3


def test_late_news_of_an_attempt_given_up_pauses_nothing() -> None:
    lane = Lane("feed", "1")
    for number in range(2):
        lane.post(word(number))
    (first, _), (second, _) = lane.take(0)
    lane.failed(1, first, 0)

    assert lane.failed(2, second, 10) is False
    assert names(lane.take(50)) == [1]
    assert lane.failed(1, first, 60) is False
    assert lane.due_ms() == 50 + ANSWER_DUE_MS


def test_a_late_acknowledgement_spares_the_resend() -> None:
    lane = Lane("feed", "1")
    for number in range(2):
        lane.post(word(number))
    (first, _), (second, _) = lane.take(0)
    lane.failed(1, first, 0)

    lane.acknowledged(2, second)

    assert names(lane.take(50)) == [1]
    assert lane.unacknowledged == 1


def test_pauses_double_up_to_a_bound() -> None:
    lane, now_ms, pauses = Lane("feed", "1"), 0, []
    lane.post(word(1))
    for _ in range(8):
        [(attempt, _)] = lane.take(now_ms)
        lane.failed(1, attempt, now_ms)
        due_ms = lane.due_ms()
        assert due_ms is not None
        pauses.append(due_ms - now_ms)
        now_ms = due_ms

    assert pauses == [50, 100, 200, 400, 800, PAUSE_LAST_MS, PAUSE_LAST_MS, PAUSE_LAST_MS]


def test_an_answer_that_never_comes_is_an_unknown_outcome_and_sent_again() -> None:
    lane = Lane("feed", "1")
    lane.post(word(1))
    lane.take(0)

    assert lane.give_up_late(ANSWER_DUE_MS - 1) is False
    assert lane.give_up_late(ANSWER_DUE_MS) is True
    assert names(lane.take(ANSWER_DUE_MS + 50)) == [1]


def test_what_waits_is_merged_and_what_was_sent_is_not() -> None:
    lane = Lane("feed", "1")
    fresh = FeedWord(symbol="ETHUSDT", reference=1, is_fresh=True)
    lane.post(fresh)
    lane.take(0)
    for reference in (2, 3):
        lane.post(FeedWord(symbol="ETHUSDT", reference=reference, is_fresh=True))
        lane.post(Alarms(symbol="ETHUSDT", alarms=(Alarm(level=reference, low=9),)))

    sent = [envelope.message for _, envelope in lane.take(0)]

    assert sent == [
        FeedWord(symbol="ETHUSDT", reference=3, is_fresh=True),
        Alarms(symbol="ETHUSDT", alarms=(Alarm(level=2, low=9), Alarm(level=3, low=9))),
    ]


def test_a_word_that_was_made_newer_overtakes_nothing_that_was_posted_before_it() -> None:
    """A slot drops a word on holds that comes before its set-up: the set-up's own word would be the older one."""
    lane = Lane("gateway", "1")
    lane.post(Standing(symbol="ETHUSDT", halt_epoch=2, holds=()))
    setup = example_setup()
    lane.post(setup)
    lane.post(Standing(symbol="ETHUSDT", halt_epoch=4, holds=()))

    sent = [envelope.message for _, envelope in lane.take(0)]

    assert sent == [setup, Standing(symbol="ETHUSDT", halt_epoch=4, holds=())]


def test_an_overflow_shows_as_a_gap_at_the_receiver() -> None:
    lane, mailbox = Lane("feed", "1"), Mailbox()
    lane.post(word(0))
    for _, envelope in lane.take(0):
        mailbox.accept(envelope)
    for number in range(1, WAITING_MAX + IN_FLIGHT_MAX + 3):
        lane.post(word(number))

    found = [mailbox.accept(envelope) for _, envelope in lane.take(0)]

    assert lane.dropped == IN_FLIGHT_MAX + 2
    assert found[0] is Arrival.GAP


def test_nothing_is_lost_or_handled_twice_however_the_wire_and_the_receiver_fail() -> None:
    for seed in range(200):
        assert _delivered_over_a_bad_wire(Random(seed)) == list(range(60)), f"seed {seed}"


def _delivered_over_a_bad_wire(chance: Random) -> list[int]:
    """Return what one sender's 60 messages became: lost requests, lost answers, doubles, late answers."""
    lane, mailbox, handled, now_ms, posted = Lane("feed", "1"), Mailbox(), [], 0, 0
    answers: list[tuple[int, int, bool]] = []
    while posted < 60 or lane.unacknowledged:
        if posted < 60 and chance.random() < 0.5:
            lane.post(word(posted))
            posted += 1
        for attempt, envelope in lane.take(now_ms):
            arrives = chance.random() < 0.7
            for _ in range(chance.choice((1, 1, 2)) if arrives else 0):
                if mailbox.accept(envelope).is_fresh:
                    assert isinstance(envelope.message, SetupWanted)
                    handled.append(int(envelope.message.receiver[-2:]))
            answers.append((envelope.sequence, attempt, arrives and chance.random() < 0.8))
        chance.shuffle(answers)
        for sequence, attempt, is_good in answers[: chance.randint(0, len(answers))]:
            answers.remove((sequence, attempt, is_good))
            if is_good:
                lane.acknowledged(sequence, attempt)
            else:
                lane.failed(sequence, attempt, now_ms)
        now_ms += 100
        lane.give_up_late(now_ms)
    return sorted(handled)
