"""Conditional orders at the virtual venue: the calls of an account's gateway, with the fates of any other call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from actors.virtual.mishaps import CallFate, CallKind, Mishaps
from actors.virtual.settings import ACCOUNT
from actors.virtual.stamp import Stamp
from exchanges.desk.events import NotSent, StopAccepted, StopOutcome, Unknown
from exchanges.sim.engine import MatchingEngine
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.port_words import TOO_OLD, new_stop, refused_of, stop_of
from exchanges.sim.refusal import Refused as VenueRefused
from exchanges.sim.venue_events import VenueEvent
from grid.stop import StopReport
from risk.veto import ApprovedStop

NO_REPLY: StopOutcome = Unknown(reason="no reply")
NOT_READ: StopOutcome = NotSent(reason="no reply")


class Road(Protocol):
    """How a call travels to the venue and its answer back."""

    def travel(self, kind: CallKind, about: object, fate: CallFate, arrive: Callable[[], None]) -> None: ...

    def replying(self, fate: CallFate, reply: Callable[[Any], None], otherwise: Any) -> Callable[[Any], None]: ...

    def publish(self, events: Iterable[VenueEvent]) -> None: ...

    def take_write(self, stamp: Stamp, recv_window_ms: int) -> bool: ...

    def wall_ms(self) -> int: ...


class VirtualStops:
    """Places, cancels and reads them."""

    def __init__(
        self,
        engine: MatchingEngine,
        mishaps: Mishaps,
        road: Road,
        instruments: dict[str, SimInstrument],
        recv_window_ms: int,
    ) -> None:
        self._recv_window_ms = recv_window_ms
        self._engine = engine
        self._mishaps = mishaps
        self._road = road
        self._instruments = instruments

    def place(self, approved: ApprovedStop, reply: Callable[[StopOutcome], None], stamp: Stamp) -> None:
        """Send a stop."""
        request = approved.request
        fate = self._mishaps.call(CallKind.PLACE, request.symbol, True)
        answer = self._road.replying(fate, reply, NO_REPLY)

        def arrive() -> None:
            is_taken = self._road.take_write(stamp, request.recv_window_ms)
            if fate.answer is not None:
                answer(fate.answer)
            elif not is_taken:
                answer(TOO_OLD)
            else:
                answer(submit())

        def submit() -> StopOutcome:
            asked = new_stop(request, self._instruments[request.symbol])
            try:
                algo, events = self._engine.submit_algo(ACCOUNT, asked, self._road.wall_ms())
            except VenueRefused as error:
                return refused_of(error)
            self._road.publish(events)
            return StopAccepted(report=stop_of(algo, self._instruments[request.symbol]))

        if not fate.is_request_lost:
            self._road.travel(CallKind.PLACE, request, fate, arrive)

    def cancel(self, symbol: str, client_id: str, reply: Callable[[bool], None], stamp: Stamp) -> None:
        """Cancel a stop by client id."""
        fate = self._mishaps.call(CallKind.CANCEL, symbol, False)
        answer = self._road.replying(fate, reply, False)

        def arrive() -> None:
            if not self._road.take_write(stamp, self._recv_window_ms) or fate.answer is not None:
                answer(False)
                return
            try:
                _, events = self._engine.cancel_algo(ACCOUNT, self._road.wall_ms(), client_id=client_id)
            except VenueRefused:
                answer(True)  # a no may mean that it is gone: it is looked up
                return
            self._road.publish(events)
            answer(True)

        if not fate.is_request_lost:
            self._road.travel(CallKind.CANCEL, client_id, fate, arrive)

    def look_up(self, symbol: str, client_id: str, reply: Callable[[StopOutcome], None]) -> None:
        """Read a stop by client id."""
        fate = self._mishaps.call(CallKind.LOOK_UP, symbol, False)
        answer = self._road.replying(fate, reply, NOT_READ)

        def read() -> StopOutcome:
            try:
                algo = self._engine.read.algo(ACCOUNT, client_id=client_id)
            except VenueRefused as error:
                return refused_of(error)
            return StopAccepted(report=stop_of(algo, self._instruments[symbol]))

        def arrive() -> None:
            answer(fate.answer if isinstance(fate.answer, NotSent) else read())

        if not fate.is_request_lost:
            self._road.travel(CallKind.LOOK_UP, client_id, fate, arrive)

    def waiting(self, reply: Callable[[tuple[StopReport, ...] | None], None]) -> None:
        """Read all that wait."""
        fate = self._mishaps.call(CallKind.OPEN_ORDERS, "", False)
        nothing: tuple[StopReport, ...] | None = None
        answer = self._road.replying(fate, reply, nothing)

        def arrive() -> None:
            algos = [] if fate.is_empty else self._engine.read.open_algos(ACCOUNT)
            told = tuple(stop_of(algo, self._instruments[algo.symbol]) for algo in algos)
            answer(None if fate.answer is not None else told)

        if not fate.is_request_lost:
            self._road.travel(CallKind.OPEN_ORDERS, "stops", fate, arrive)
