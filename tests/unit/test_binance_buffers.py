"""What happens when a consumer is slower than its stream."""

from __future__ import annotations

import asyncio

import pytest

from exchanges.session.buffers import Closed, LatestBuffer, WholeBuffer


def latest(size: int) -> LatestBuffer[str]:
    return LatestBuffer(key=lambda event: event[0], size=size, overflowed=lambda: ["!restart"])


async def test_the_latest_of_each_key_stays_in_order_of_arrival() -> None:
    buffer = latest(10)
    for event in ("a1", "b1", "a2"):
        await buffer.put(event)

    assert [await buffer.get(), await buffer.get()] == ["b1", "a2"]
    assert buffer.conflated == 1


async def test_too_many_keys_empty_the_buffer_and_say_so() -> None:
    buffer = latest(3)
    for event in ("a1", "b1", "c1", "d1"):
        await buffer.put(event)

    assert [await buffer.get(), await buffer.get()] == ["!restart", "d1"]
    assert buffer.overflows == 1


async def test_a_full_whole_buffer_makes_the_sender_wait() -> None:
    buffer: WholeBuffer[int] = WholeBuffer(2)
    for number in range(2):
        await buffer.put(number)
    third = asyncio.create_task(buffer.put(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert not third.done()
    assert await buffer.get() == 0
    await third
    assert [await buffer.get(), await buffer.get()] == [1, 2]


async def test_what_is_buffered_comes_before_the_end() -> None:
    buffer: WholeBuffer[int] = WholeBuffer(2)
    await buffer.put(1)
    buffer.end(ZeroDivisionError("a bug"))

    assert await buffer.get() == 1
    with pytest.raises(ZeroDivisionError):
        await buffer.get()


async def test_a_clean_end_is_told_apart_from_a_failure() -> None:
    buffer = latest(1)
    waiting = asyncio.create_task(buffer.get())
    await asyncio.sleep(0)
    buffer.end(None)

    with pytest.raises(Closed):
        await waiting
