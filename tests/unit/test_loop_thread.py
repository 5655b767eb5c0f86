"""A loop in its own thread: hands over in order, refuses when full, and never dies in silence."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from actors.loop_thread import LoopThread

PATIENCE_S = 120.0
ROOT = Path(__file__).resolve().parents[2]


async def for_ever() -> None:
    await asyncio.Event().wait()


def test_calls_run_in_the_loop_in_the_order_they_were_handed_over() -> None:
    seen: list[tuple[int, str]] = []
    done = threading.Event()
    loop = LoopThread("test", for_ever)
    loop.start()

    for number in range(500):
        assert loop.hand_over(lambda n: seen.append((n, threading.current_thread().name)), number)
    loop.hand_over(done.set)

    assert done.wait(PATIENCE_S)
    assert [number for number, _ in seen] == list(range(500))
    assert {name for _, name in seen} == {"loop test"}
    assert loop.depth == 0
    assert loop.stop(PATIENCE_S)


def test_a_full_queue_says_busy_and_shows_its_depth() -> None:
    gate = threading.Event()
    loop = LoopThread("test", for_ever, capacity=3)
    loop.start()
    blocked = threading.Event()

    def block() -> None:
        blocked.set()
        gate.wait(PATIENCE_S)

    loop.hand_over(block)
    blocked.wait(PATIENCE_S)

    taken = [loop.hand_over(lambda: None) for _ in range(5)]

    assert taken == [True, True, True, False, False]
    assert loop.depth == 3
    gate.set()
    assert loop.stop(PATIENCE_S)


def test_nothing_is_handed_over_before_the_start_or_after_the_end() -> None:
    loop = LoopThread("test", for_ever)

    assert loop.hand_over(lambda: None) is False
    loop.start()
    assert loop.stop(PATIENCE_S)
    assert loop.hand_over(lambda: None) is False
    assert not loop.is_alive


async def breaks() -> None:
    await asyncio.sleep(0)
    raise OSError("the socket is gone")


def breaks_at_once() -> None:
    raise OSError("the socket is gone")


async def returns() -> None:
    await asyncio.sleep(0)


@pytest.mark.parametrize("main", [breaks, returns])
def test_an_ended_main_ends_the_process(main: object) -> None:
    ended = threading.Event()
    loop = LoopThread("test", main, end=ended.set)  # type: ignore[arg-type]

    loop.start()

    assert ended.wait(PATIENCE_S)
    assert loop.stop(PATIENCE_S)


def test_an_error_in_a_handed_over_call_ends_the_process() -> None:
    ended = threading.Event()
    loop = LoopThread("test", for_ever, end=ended.set)
    loop.start()

    loop.hand_over(breaks_at_once)

    assert ended.wait(PATIENCE_S)
    assert loop.stop(PATIENCE_S)


def test_a_stop_on_purpose_ends_nothing() -> None:
    ended = threading.Event()
    loop = LoopThread("test", for_ever, end=ended.set)
    loop.start()

    assert loop.stop(PATIENCE_S)
    assert not ended.is_set()


def test_a_real_process_ends_with_code_1_though_its_main_thread_sleeps() -> None:
    script = (
        "import time\n"
        "from actors.loop_thread import LoopThread\n"
        "async def main():\n    raise OSError('the socket is gone')\n"
        "LoopThread('test', main).start()\n"
        "time.sleep(100)\n"
    )

    found = subprocess.run(  # the exit code is what is asked
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=180, check=False
    )

    assert found.returncode == 1
    assert "the socket is gone" in found.stdout + found.stderr
