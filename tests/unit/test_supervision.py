"""Who lives, who dies again and again, and what of."""

from __future__ import annotations

import threading

from actors.deployment.supervision import LOOP_MS, SILENT_MS, Health, Supervision
from actors.mail.messages import LastWords

GATEWAY, FEED = "gateway", "feed"


def watching(*names: str) -> Supervision:
    made = Supervision()
    for name in names:
        made.enlisted(name, 0)
    return made


def test_an_actor_is_starting_until_it_is_heard_and_then_up() -> None:
    made = watching(GATEWAY)
    assert made.health(GATEWAY, 1_000) is Health.STARTING

    made.heard({GATEWAY: "0001.7"}, 2_000)

    assert made.health(GATEWAY, 2_000) is Health.UP
    assert made.troubles(2_000) == []
    assert made.rows(2_500)[0]["silent_ms"] == 500


def test_silence_is_told_with_its_length() -> None:
    made = watching(GATEWAY, FEED)
    made.heard({GATEWAY: "0001.7", FEED: "0001.8"}, 1_000)
    made.heard({GATEWAY: None, FEED: "0001.8"}, 1_000 + SILENT_MS)

    assert made.silent(1_000 + SILENT_MS) == (GATEWAY,)
    [sentence] = made.troubles(1_000 + SILENT_MS)
    assert sentence == "gateway has not answered for 5 s (0 restarts)"


def test_one_restart_is_counted_and_no_trouble() -> None:
    made = watching(GATEWAY)
    made.heard({GATEWAY: "0001.7"}, 1_000)
    made.heard({GATEWAY: "0002.9"}, 2_000)

    assert made.rows(2_000)[0]["restarts"] == 1
    assert made.health(GATEWAY, 2_000) is Health.UP


def test_a_loop_is_told_with_what_it_dies_of_and_forgotten_when_it_lives() -> None:
    made = watching(GATEWAY)
    for life in range(4):
        made.last_words(GATEWAY, f"000{life}.7", LastWords(why="OSError: disk full"), 1_000 * life)

    assert made.health(GATEWAY, 4_000) is Health.CRASH_LOOP
    assert made.troubles(4_000) == ["gateway dies again and again (3 restarts); it said: OSError: disk full"]

    made.heard({GATEWAY: "0003.7"}, 4_000 + LOOP_MS)
    assert made.health(GATEWAY, 4_000 + LOOP_MS) is Health.UP


def test_last_words_and_the_answer_of_the_next_life_count_as_one_restart() -> None:
    made = watching(GATEWAY)
    made.heard({GATEWAY: "0001.7"}, 1_000)
    made.last_words(GATEWAY, "0001.7", LastWords(why="boom"), 2_000)
    made.heard({GATEWAY: "0002.8"}, 3_000)
    made.heard({GATEWAY: "0001.7"}, 3_100)  # late news of the former life

    assert made.rows(3_100)[0]["restarts"] == 1


def test_one_that_dies_before_it_ever_answers_is_told() -> None:
    made = watching(GATEWAY)
    made.last_words(GATEWAY, "0001.7", LastWords(why="no keys"), 500)

    assert made.troubles(600) == ["gateway died while it started; it said: no keys"]


def test_an_answer_of_somebody_unknown_is_nobodys() -> None:
    made = watching(GATEWAY)
    made.heard({FEED: "0001.7"}, 100)

    assert made.names == (GATEWAY,)


def test_it_may_be_read_while_others_come_and_go() -> None:
    made = Supervision()
    over = threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            for number in range(50):
                made.enlisted(f"slot/{number}", 0)
            made.dismissed(f"slot/{number}" for number in range(50))

    others = [threading.Thread(target=come_and_go) for _ in range(2)]
    for one in others:
        one.start()
    try:
        for _ in range(2_000):
            made.rows(10_000)
            made.troubles(10_000)
            made.silent(10_000)
    finally:
        over.set()
        for one in others:
            one.join()
