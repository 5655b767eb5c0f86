"""Bugs in how a gateway takes over from the one that died."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from exchanges.desk.commands import Command, Effects, ReadTrades
from exchanges.desk.core import Core
from exchanges.desk.events import Instant
from exchanges.order_desk import OrderDesk
from grid.client_id import ClientId
from grid.holds import HoldCause
from grid.order import Purpose
from grid.records import OrderMarked, Record
from grid.slot import Phase, Signal
from grid.symbol_book import OrderEntry
from tests.simulation.faults import Kind
from tests.simulation.planted.actors import CRASHES
from tests.simulation.planted.bug import Bug


def ids_begin_again_with_each_life(patch: pytest.MonkeyPatch) -> None:
    """The owner epoch is left out of the client id."""

    def without_epoch(self: Core, symbol: str, generation: int, level: int, purpose: Purpose) -> str:
        self._sequence += 1
        return ClientId(
            journal=self.settings.journal,
            symbol=symbol,
            generation=generation,
            level=level,
            purpose=purpose,
            owner_epoch=1,
            sequence=self._sequence,
        ).encode()

    patch.setattr(Core, "next_client_id", without_epoch)


def trades_are_read_from_the_last_start_on(patch: pytest.MonkeyPatch) -> None:
    """What happened while the gateway was dead, or died with it, is not asked for."""
    begin, command, begun_ms = OrderDesk.begin, Core.command, dict[int, int]()

    def noting(self: OrderDesk, owner_epoch: int, records: Iterable[Record], now: Instant) -> Effects:
        begun_ms[id(self._core)] = now.wall_ms
        return begin(self, owner_epoch, records, now)

    def recent(self: Core, one: Command) -> None:
        first = begun_ms.get(id(self), 0)
        command(self, replace(one, since_ms=max(first, one.since_ms)) if isinstance(one, ReadTrades) else one)

    patch.setattr(OrderDesk, "begin", noting)
    patch.setattr(Core, "command", recent)


def what_was_pending_is_left_pending(patch: pytest.MonkeyPatch) -> None:
    """Orders of the former life are not doubted."""

    def trusting(self: Core, order: OrderEntry, now: Instant) -> None:
        self.sent_ms[order.client_id] = now.mono_ms + 10**9

    patch.setattr(Core, "doubt", trusting)


def what_was_pending_was_never_sent(patch: pytest.MonkeyPatch) -> None:
    """An order whose answer the former life never saw is taken back, and the venue is not asked before trading."""
    doubt = Core.doubt

    def forgetting(self: Core, order: OrderEntry, now: Instant) -> None:
        core = self
        if order.key is not None and order.is_attached and core.slot(order.key).phase is Phase.PENDING:
            core.record(OrderMarked(client_id=order.client_id, symbol=order.symbol, signal=Signal.NOT_SENT))
            return
        doubt(self, order, now)

    patch.setattr(Core, "doubt", forgetting)
    begin = OrderDesk.begin

    def at_once(self: OrderDesk, owner_epoch: int, records: Iterable[Record], now: Instant) -> Effects:
        first = begin(self, owner_epoch, records, now)
        self._core.is_ready = True
        self._standing.lift(HoldCause.ORDER_STREAM, "", "the journal knows everything")
        more = self._core.take_effects()
        return Effects(records=[*first.records, *more.records], commands=[*first.commands, *more.commands])

    patch.setattr(OrderDesk, "begin", at_once)


BUGS = (
    Bug(kind=Kind.KILL_GATEWAY, plant=ids_begin_again_with_each_life, kin=CRASHES),
    Bug(kind=Kind.CRASH_BEFORE_COMMIT, plant=trades_are_read_from_the_last_start_on, kin=CRASHES),
    Bug(kind=Kind.CRASH_AFTER_COMMIT, plant=what_was_pending_is_left_pending, kin=CRASHES),
    Bug(kind=Kind.CRASH_AFTER_COMMAND, plant=what_was_pending_was_never_sent, kin=CRASHES, seeds=(29, 12)),
)
