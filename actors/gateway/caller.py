"""Carries the desk's commands to the venue: through the one limiter, by lanes, each ending in exactly one event."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from actors.clock import Clock
from actors.gateway.stop_points import Reached, StopPoint, pass_by
from actors.gateway.timings import Timings
from actors.ownership.errors import Fenced
from exchanges.cost import Cost
from exchanges.desk.commands import (
    CancelStop,
    LookUp,
    LookUpStop,
    ReadOpenOrders,
    ReadOpenStops,
    ReadPositions,
    ReadTrades,
    Send,
    SendCancel,
    SendStop,
)
from exchanges.desk.events import (
    Accepted,
    CancelAnswered,
    Event,
    NotSent,
    OpenOrdersRead,
    OrderRead,
    Outcome,
    PlaceAnswered,
    PositionsRead,
    Refused,
    StopAccepted,
    StopAnswered,
    StopCancelAnswered,
    StopOutcome,
    StopRead,
    StopsRead,
    TradesRead,
    Unknown,
)
from exchanges.errands import LANE_SIZE, Reading, Work, cost_of, lane_of, life_ms, unsent
from exchanges.errors import VenueError, VenueRefused, VenueUnreachable
from exchanges.lane import Lane
from exchanges.port import TradingVenue, UsedQuota
from exchanges.throttle import Throttle, WindowState
from exchanges.waiting_line import WaitingLine
from grid.order import OrderReport
from grid.stop import StopReport
from risk.veto import Approved, ApprovedStop

T = TypeVar("T")

SECOND_NS = 1_000_000_000

_Errand = SendCancel | SendStop | CancelStop | Reading
_NAMES: dict[type[Outcome | StopAccepted], str] = {
    StopAccepted: "accepted",
    Accepted: "accepted",
    Refused: "refused",
    NotSent: "not_sent",
    Unknown: "unknown",
}
"""An outcome as the metrics call it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Turn:
    """A place in the line of somebody who carries out his own call."""

    came: asyncio.Future[None]


class VenueCaller:
    """Everything that goes to the venue for the account goes through here, in one event loop."""

    def __init__(
        self,
        *,
        venue: TradingVenue,
        throttle: Throttle,
        clock: Clock,
        on_event: Callable[[Event], None],
        release: Callable[[str], Approved | None],
        timings: Timings | None = None,
        release_stop: Callable[[str], ApprovedStop | None] = lambda _: None,
        reached: Reached = pass_by,
    ) -> None:
        self._venue = venue
        self._throttle = throttle
        self._line: WaitingLine[Work | _Turn] = WaitingLine(throttle, LANE_SIZE)
        self._clock = clock
        self._on_event = on_event
        self._release = release
        self._timings = timings or Timings(clock)
        self._release_stop = release_stop
        self._reached = reached
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: set[_Turn] = set()
        self._is_closed = False
        self._timer: asyncio.TimerHandle | None = None
        venue.on_quota = self._on_quota
        venue.toll = self.toll

    def submit(self, work: Work) -> None:
        """Take work in; what does not fit ends at once as not sent. A cancel that waits already is not asked twice."""
        lane = lane_of(work)
        if isinstance(work, SendCancel) and self._line.holds(lane, work):
            return
        if self._offer(lane, work, cost_of(work, self._venue.costs)):
            self._pump()
        else:
            self._drop(work, f"the {lane.name.lower()} lane is full")

    async def read(self, call: Callable[[], Awaitable[T]], cost: Cost, lane: Lane = Lane.READ) -> T:
        """Make any other call, once the limiter lets it go. Raises `VenueUnreachable` where it never does."""
        await self._turn(lane, cost)
        begun_ns = self._clock.monotonic_ns()
        try:
            found = await call()
        except VenueUnreachable as failure:
            self._note_ban(failure)
            raise
        self._note_answer(None, begun_ns)
        return found

    async def toll(self, cost: Cost) -> None:
        """Return once so much may be spent on reading; it is counted. Raises `VenueUnreachable` where it never may."""
        # Nearly always it is for a further page: the one before was answered just now.
        self._note_answer(None, self._clock.monotonic_ns())
        await self._turn(Lane.READ, cost)
        # Its answer is told with that of the whole reading only: nothing is to wait for it.
        if self._throttle.untried():
            self._pump()

    async def _turn(self, lane: Lane, cost: Cost) -> None:
        turn = _Turn(asyncio.get_running_loop().create_future())
        if self._is_closed or not self._offer(lane, turn, cost):
            raise VenueUnreachable(f"the {lane.name.lower()} lane is full or closed")
        self._turns.add(turn)
        try:
            self._pump()
            await turn.came
        finally:
            self._turns.discard(turn)

    def depths(self) -> dict[str, int]:
        """Return how much waits in each lane."""
        return {lane.name.lower(): self._line.depth(lane) for lane in Lane}

    def limits(self) -> tuple[int, list[WindowState], bool]:
        """Return our own ceiling's tokens, how full the venue's windows are, and whether a ban is in force."""
        now_ns = self._clock.monotonic_ns()
        return self._throttle.tokens(now_ns), self._throttle.windows(now_ns), self._throttle.is_banned(now_ns)

    def in_flight(self) -> int:
        """Return how many calls are under way."""
        return len(self._tasks)

    async def close(self) -> None:
        """Forget what waits and let go of what is under way."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for turn in self._turns:
            _end(turn, "the gateway closes")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _offer(self, lane: Lane, work: Work | _Turn, cost: Cost) -> bool:
        now_ns = self._clock.monotonic_ns()
        deadline_ns = now_ns + life_ms(lane) * 1_000_000
        return self._line.offer(lane, work, cost, now_ns=now_ns, deadline_ns=deadline_ns)

    def _drop(self, work: Work | _Turn, reason: str) -> None:
        if isinstance(work, _Turn):
            _end(work, reason)
        else:
            self._later(unsent(work, reason, self._now_ms()))

    def _pump(self) -> None:
        now_ns = self._clock.monotonic_ns()
        for dropped in self._line.expire(now_ns):
            self._drop(dropped.work, dropped.reason)
        while (released := self._line.release(now_ns)) is not None:
            self._timings.waited(released.lane, released.waited_ns)
            if isinstance(released.work, _Turn):
                _end(released.work)
            else:
                self._start(released.work)
        wake_ns = self._line.wake_at(now_ns)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if wake_ns is not None:
            delay_s = max(wake_ns - now_ns, 1_000_000) / SECOND_NS
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._pump)

    def _start(self, work: Work) -> None:
        call = self._begin(work) if isinstance(work, Send) else self._carry_out(work)
        if call is None:
            return
        task = asyncio.get_running_loop().create_task(call)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A bug here must not leave a slot waiting for ever: the loop's handler ends the process.
            asyncio.get_running_loop().call_exception_handler({"message": "a venue call broke", "exception": error})

    def _begin(self, send: Send) -> Coroutine[Any, Any, None] | None:
        """Write an order that is still permitted; return the rest of its call.

        No other event comes between the permission and the write, and no other work: both are this one step.
        """
        approved = self._release(send.client_id)
        if approved is None:
            # What was withdrawn while it waited costs nothing: else a line of such orders starves the living.
            self._throttle.give_back(cost_of(send, self._venue.costs))
            return None
        self._reached(StopPoint.BEFORE_SEND)
        return self._sent(send, self._venue.place(approved))

    async def _sent(self, send: Send, call: Awaitable[OrderReport]) -> None:
        outcome = await self._outcome(send.lane.name.lower(), call)
        self._reached(StopPoint.AFTER_SEND)
        self._on_event(PlaceAnswered(client_id=send.client_id, outcome=outcome))
        self._reached(StopPoint.AFTER_ACK)

    async def _carry_out(self, work: _Errand) -> None:
        match work:
            case SendCancel(symbol=symbol, client_id=client_id):
                outcome = await self._outcome("cancel", self._venue.cancel(symbol, client_id))
                self._on_event(CancelAnswered(client_id=client_id, outcome=outcome))
            case SendStop(symbol=symbol, client_id=client_id):
                stop = self._release_stop(client_id)
                if stop is not None:
                    told = await self._stop_outcome("place_stop", self._venue.place_stop(stop))
                    self._on_event(StopAnswered(symbol=symbol, client_id=client_id, outcome=told))
            case CancelStop(symbol=symbol, client_id=client_id):
                is_done = await self._is_done(self._venue.cancel_stop(symbol, client_id))
                self._on_event(StopCancelAnswered(symbol=symbol, client_id=client_id, is_done=is_done))
            case _:
                await self._read(work)

    async def _read(self, work: Reading) -> None:
        begun_ms = self._now_ms()
        match work:
            case LookUp(symbol=symbol, client_id=client_id, order_id=order_id):
                outcome = await self._outcome("look_up", self._venue.order(symbol, client_id, order_id))
                self._on_event(
                    OrderRead(client_id=client_id, begun_ms=begun_ms, outcome=outcome, symbol=symbol, order_id=order_id)
                )
            case LookUpStop(symbol=symbol, client_id=client_id):
                told = await self._stop_outcome("look_up_stop", self._venue.stop(symbol, client_id))
                self._on_event(StopRead(symbol=symbol, client_id=client_id, begun_ms=begun_ms, outcome=told))
            case ReadOpenStops():
                stops = await self._reading("open_stops", self._venue.open_stops())
                self._on_event(StopsRead(begun_ms=begun_ms, reports=tuple(stops) if stops is not None else None))
            case ReadOpenOrders():
                reports = await self._reading("open_orders", self._venue.open_orders())
                self._on_event(
                    OpenOrdersRead(begun_ms=begun_ms, reports=tuple(reports) if reports is not None else None)
                )
            case ReadPositions():
                positions = await self._reading("positions", self._venue.positions())
                self._on_event(
                    PositionsRead(begun_ms=begun_ms, positions=tuple(positions) if positions is not None else None)
                )
            case ReadTrades(symbol=symbol, since_ms=since_ms, order_id=order_id):
                fills = await self._reading("trades", self._venue.fills_since(symbol, since_ms, order_id or None))
                self._on_event(
                    TradesRead(
                        symbol=symbol,
                        since_ms=since_ms,
                        begun_ms=begun_ms,
                        fills=tuple(fills) if fills is not None else None,
                        order_id=order_id,
                    )
                )

    async def _outcome(self, call: str, answer: Awaitable[OrderReport]) -> Outcome:
        begun_ns = self._timings.now_ns()
        outcome = await self._judged(answer)
        self._timings.answered(call, _NAMES[type(outcome)], begun_ns)
        self._note_answer(outcome, begun_ns)
        return outcome

    async def _judged(self, answer: Awaitable[OrderReport]) -> Outcome:
        try:
            return Accepted(report=await answer)
        except VenueError as error:
            return self._failure(error)

    async def _stop_outcome(self, call: str, answer: Awaitable[StopReport]) -> StopOutcome:
        begun_ns = self._timings.now_ns()
        try:
            outcome: StopOutcome = StopAccepted(report=await answer)
        except VenueError as error:
            outcome = self._failure(error)
        self._timings.answered(call, _NAMES[type(outcome)], begun_ns)
        self._note_answer(outcome, begun_ns)
        return outcome

    async def _is_done(self, answer: Awaitable[None]) -> bool:
        begun_ns = self._clock.monotonic_ns()
        try:
            await answer
        except VenueError as error:
            failure = self._failure(error)
            self._note_answer(failure, begun_ns)
            return isinstance(failure, Refused)  # a no may mean that it is gone: it is looked up
        self._note_answer(None, begun_ns)
        return True

    def _failure(self, error: VenueError) -> Refused | NotSent | Unknown:
        if isinstance(error, VenueRefused):
            return Refused(refusal=error.refusal, code=error.code, message=str(error))
        if isinstance(error, Fenced):
            return NotSent(reason=str(error), retry_after_ms=int(error.retry_after_s * 1000), is_ours=True)
        if isinstance(error, VenueUnreachable):
            self._note_ban(error)
            return NotSent(reason=str(error), retry_after_ms=int(error.retry_after_s * 1000))
        return Unknown(reason=str(error))

    async def _reading(self, call: str, answer: Awaitable[T]) -> T | None:
        begun_ns, found = self._timings.now_ns(), None
        try:
            found = await answer
        except VenueUnreachable as failure:
            self._note_ban(failure)
        except VenueError:
            pass
        self._timings.answered(call, "failed" if found is None else "accepted", begun_ns)
        if found is not None:
            self._note_answer(None, begun_ns)
        return found

    def _note_ban(self, failure: VenueUnreachable) -> None:
        if failure.banned:
            now_ns = self._clock.monotonic_ns()
            self._throttle.ban(now_ns + int(failure.retry_after_s * SECOND_NS), now_ns)

    def _note_answer(self, outcome: Outcome | StopOutcome | None, begun_ns: int) -> None:
        """The venue said something to a request, unless the outcome is that it did not: this may end a ban."""
        if not isinstance(outcome, NotSent | Unknown) and self._throttle.answered(begun_ns):
            self._pump()

    def _on_quota(self, used: UsedQuota) -> None:
        self._throttle.observe(used, self._clock.monotonic_ns())

    def _later(self, event: Event) -> None:
        asyncio.get_running_loop().call_soon(self._on_event, event)

    def _now_ms(self) -> int:
        return self._clock.monotonic_ns() // 1_000_000


def _end(turn: _Turn, reason: str = "") -> None:
    """End somebody's waiting, by a failure where there is a reason; he may have gone meanwhile."""
    if turn.came.done():
        return
    if reason:
        turn.came.set_exception(VenueUnreachable(reason))
    else:
        turn.came.set_result(None)
