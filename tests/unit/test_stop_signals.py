"""Signals from the first moment: raised while nothing is started, kept while something is, then passed on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from actors.exit_codes import exit_code
from actors.stop_signals import Interrupted, StopSignals


@pytest.fixture
def ear() -> Iterator[StopSignals]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    ear = StopSignals()
    ear.listen()
    yield ear
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_before_anything_is_started_it_ends_at_once(ear: StopSignals, number: signal.Signals, code: int) -> None:
    with pytest.raises(Interrupted, match="nothing was placed") as ended:
        os.kill(os.getpid(), number)

    assert exit_code(ended.value) == code


def test_what_must_not_be_broken_off_comes_to_its_end(ear: StopSignals) -> None:
    done: list[bool] = []

    def start_something() -> None:
        with ear.deferred():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append(True)

    with pytest.raises(Interrupted):
        start_something()

    assert done


def test_a_library_that_takes_the_handler_over_changes_nothing(ear: StopSignals) -> None:
    def of_a_library(number: int, frame: object) -> None:
        raise SystemExit(number)

    def start_it() -> None:
        with ear.deferred():
            signal.signal(signal.SIGTERM, of_a_library)
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted):
        start_it()
    with pytest.raises(Interrupted):
        os.kill(os.getpid(), signal.SIGTERM)


def test_who_takes_them_is_told_each_time_and_nothing_is_raised(ear: StopSignals) -> None:
    told: list[int] = []
    ear.pass_to(lambda: told.append(ear.number))

    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)

    assert told == [signal.SIGTERM, signal.SIGTERM]
