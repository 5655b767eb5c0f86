"""When the venue wrote a message and when it had read an order, and what lies between the two."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

from exchanges.sim.server.connection import Connection
from grid.client_id import ClientId, decode
from grid.order import Purpose
from tests.bench.market import ANCHOR, INTERVAL, TICKS

Stamp = tuple[int, str, bytes]
"""Monotonic nanoseconds, the connection's path, and what went over it."""


class WireLog:
    """Everything written and read since it was last cleared. Nothing is looked into before it is asked for."""

    def __init__(self) -> None:
        self.written: list[Stamp] = []
        self.read: list[Stamp] = []

    def clear(self) -> None:
        self.written, self.read = [], []


def watched(log: WireLog) -> type[Connection]:
    """Return a kind of connection that notes what goes over it: before a write, and after the last byte was read."""

    class Watched(Connection):
        async def write(self, frame: bytes) -> None:
            log.written.append((time.monotonic_ns(), self.path, frame))
            await super().write(frame)

        async def serve(self, receive: Callable[[str], Awaitable[None]]) -> None:
            async def noted(text: str) -> None:
                log.read.append((time.monotonic_ns(), self.path, text.encode()))
                await receive(text)

            await super().serve(noted)

    return Watched


@dataclass(slots=True)
class Spans:
    """Nanoseconds between a message of the venue and the order that answers it."""

    tick_to_order: list[int] = field(default_factory=list)
    fill_to_exit: list[int] = field(default_factory=list)
    exit_to_entry: list[int] = field(default_factory=list)
    """From an exit's fill to the next entry of its level: by way of the slot's actor."""
    unanswered: dict[str, int] = field(default_factory=dict)
    entries: int = 0
    exits: int = 0
    cancels: int = 0
    entry_at: list[int] = field(default_factory=list)
    """When each entry was read."""


@dataclass(frozen=True, slots=True)
class Order:
    """A request to place, as it was read."""

    at_ns: int
    symbol: str
    identity: ClientId


def spans(log: WireLog) -> Spans:
    """Match orders with what caused them: a rise of the top level, a bought lot, a sold one."""
    found = Spans()
    tops: dict[str, int] = {}
    waiting: defaultdict[str, dict[tuple[str, int], int]] = defaultdict(dict)
    for at_ns, is_write, path, content in _in_order(log):
        if is_write:
            _note_cause(at_ns, path, content, tops, waiting)
        elif (order := placed(at_ns, content)) is not None:
            _answer(order, tops, waiting, found)
        elif b"order.cancel" in content or content.startswith(b"DELETE"):
            found.cancels += 1
    found.unanswered = {name: len(causes) for name, causes in waiting.items()}
    return found


def placed(at_ns: int, content: bytes) -> Order | None:
    """Return the order that a frame or a request body places, None where it is something else."""
    if b"order.place" in content:
        params: Any = orjson.loads(content)["params"]
    elif content.startswith(b"POST "):
        params = dict(parse_qsl(content[5:].decode()))
    else:
        return None
    identity = decode(params.get("newClientOrderId", ""), params["symbol"])
    return Order(at_ns, params["symbol"], identity) if identity is not None else None


def _in_order(log: WireLog) -> Iterable[tuple[int, bool, str, bytes]]:
    written = [(at_ns, True, path, content) for at_ns, path, content in log.written]
    return sorted(written + [(at_ns, False, path, content) for at_ns, path, content in log.read])


def _note_cause(
    at_ns: int,
    path: str,
    content: bytes,
    tops: dict[str, int],
    waiting: defaultdict[str, dict[tuple[str, int], int]],
) -> None:
    if path.startswith("/public") and b'"bookTicker"' in content:
        row = orjson.loads(content)["data"]
        symbol, bid = row["s"], round(float(row["b"]) * TICKS)
        top = (bid - INTERVAL // 10 - ANCHOR) // INTERVAL
        if top > tops.get(symbol, top):
            waiting["tick"][(symbol, top)] = at_ns
        tops[symbol] = top
    elif path.startswith("/private") and b'"ORDER_TRADE_UPDATE"' in content and b'"X":"FILLED"' in content:
        row = orjson.loads(content)["o"]
        identity = decode(row["c"], row["s"])
        if identity is not None:
            kind = "exit_fill" if identity.purpose.closing else "entry_fill"
            waiting[kind][(row["s"], identity.level)] = at_ns


def _answer(
    order: Order, tops: dict[str, int], waiting: defaultdict[str, dict[tuple[str, int], int]], found: Spans
) -> None:
    place = (order.symbol, order.identity.level)
    if order.identity.purpose is Purpose.EXIT:
        found.exits += 1
        begun_ns = waiting["entry_fill"].pop(place, None)
        if begun_ns is not None:
            found.fill_to_exit.append(order.at_ns - begun_ns)
        return
    found.entries += 1
    found.entry_at.append(order.at_ns)
    begun_ns = waiting["tick"].pop(place, None)
    if begun_ns is not None:
        found.tick_to_order.append(order.at_ns - begun_ns)
    begun_ns = waiting["exit_fill"].pop(place, None)
    if begun_ns is not None:
        found.exit_to_entry.append(order.at_ns - begun_ns)
