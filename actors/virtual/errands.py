"""The desk's calls to the venue: through the account's limiter, by lanes, each ending in exactly one event."""

from __future__ import annotations

from collections.abc import Callable

from actors.virtual.process import Process
from actors.virtual.venue import VirtualVenue
from actors.virtual.wire import Wire
from exchanges.binance.weights import COSTS
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
    CancelAnswered,
    Event,
    OpenOrdersRead,
    OrderRead,
    Outcome,
    PlaceAnswered,
    PositionsRead,
    StopAnswered,
    StopCancelAnswered,
    StopOutcome,
    StopRead,
    StopsRead,
    TradesRead,
)
from exchanges.errands import LANE_SIZE, Work, cost_of, lane_of, life_ms, unsent
from exchanges.port import RateWindow
from exchanges.throttle import Throttle, ThrottleRule
from exchanges.waiting_line import WaitingLine
from risk.veto import Approved, ApprovedStop

MS = 1_000_000
WINDOWS = (
    RateWindow(kind="orders", interval_ms=10_000, limit=300),
    RateWindow(kind="orders", interval_ms=60_000, limit=1_200),
    RateWindow(kind="weight", interval_ms=60_000, limit=2_400),
)


class Errands:
    """Everything that goes to the venue on behalf of one life of the gateway."""

    def __init__(
        self,
        process: Process,
        venue: VirtualVenue,
        wire: Wire,
        release: Callable[[str], Approved | None],
        release_stop: Callable[[str], ApprovedStop | None],
        on_event: Callable[[Event], None],
    ) -> None:
        self._agenda = process
        self._is_alive = process.is_alive
        self._venue = venue
        self._wire = wire
        self._release = release
        self._release_stop = release_stop
        self._on_event = on_event
        self._throttle = Throttle(WINDOWS, ThrottleRule())
        self._line: WaitingLine[Work] = WaitingLine(self._throttle, LANE_SIZE)
        self._wake_ms: int | None = None

    def submit(self, work: Work) -> None:
        """Take work in; what does not fit ends as not sent."""
        lane, cost, now_ms = lane_of(work), cost_of(work, COSTS), self._agenda.now_ms
        if isinstance(work, SendCancel) and self._line.holds(lane, work):
            return
        deadline_ns = (now_ms + life_ms(lane)) * MS
        is_taken = self._line.offer(lane, work, cost, now_ns=now_ms * MS, deadline_ns=deadline_ns)
        if not is_taken:
            self._later(work, f"the {lane.name.lower()} lane is full")
        self._wake_at(now_ms)

    def go(self) -> None:
        """Let go at once what may go now, before anything else happens."""
        if self._wake_ms is not None and self._wake_ms <= self._agenda.now_ms:
            self._pump(self._wake_ms)

    def _wake_at(self, at_ms: int) -> None:
        if self._wake_ms is None or at_ms < self._wake_ms:
            self._wake_ms = at_ms
            self._agenda.at(at_ms, "line", "", lambda: self._pump(at_ms))

    def _pump(self, appointed_ms: int) -> None:
        if self._wake_ms != appointed_ms:
            return
        self._wake_ms = None
        if not self._is_alive():
            return
        now_ns = self._agenda.now_ms * MS
        for dropped in self._line.expire(now_ns):
            self._later(dropped.work, dropped.reason)
        while self._is_alive() and (released := self._line.release(now_ns)) is not None:
            self._carry_out(released.work)
            if self._agenda.is_stopped:
                self._wake_at(self._agenda.now_ms)
                return
        next_ns = self._line.wake_at(now_ns)
        if next_ns is not None:
            self._wake_at(max(-(-next_ns // MS), self._agenda.now_ms + 1))

    def _carry_out(self, work: Work) -> None:
        begun_ms, on_event, venue = self._agenda.now_ms, self._on_event, self._venue
        match work:
            case Send(client_id=client_id):
                approved = self._release(client_id)
                if approved is None:
                    self._throttle.give_back(cost_of(work, COSTS))
                else:

                    def placed(out: Outcome) -> None:
                        on_event(PlaceAnswered(client_id=client_id, outcome=out))

                    self._wire.write(lambda stamp: venue.place(approved, placed, stamp), placed)
            case SendCancel(symbol=symbol, client_id=client_id):

                def cancelled(out: Outcome) -> None:
                    on_event(CancelAnswered(client_id=client_id, outcome=out))

                self._wire.write(lambda stamp: venue.cancel(symbol, client_id, cancelled, stamp), cancelled)
            case LookUp(symbol=symbol, client_id=client_id, order_id=order_id):
                venue.look_up(
                    symbol,
                    client_id,
                    lambda out: on_event(
                        OrderRead(client_id=client_id, begun_ms=begun_ms, outcome=out, symbol=symbol, order_id=order_id)
                    ),
                    order_id,
                )
            case SendStop() | CancelStop() | LookUpStop() | ReadOpenStops():
                self._carry_out_stop(work)
            case ReadOpenOrders():
                venue.open_orders(lambda found: on_event(OpenOrdersRead(begun_ms=begun_ms, reports=found)))
            case ReadPositions():
                venue.positions(lambda found: on_event(PositionsRead(begun_ms=begun_ms, positions=found)))
            case ReadTrades(symbol=symbol, since_ms=since_ms, order_id=order_id):
                venue.trades(
                    symbol,
                    since_ms,
                    lambda found: on_event(
                        TradesRead(symbol=symbol, since_ms=since_ms, begun_ms=begun_ms, fills=found, order_id=order_id)
                    ),
                    order_id,
                )

    def _carry_out_stop(self, work: SendStop | CancelStop | LookUpStop | ReadOpenStops) -> None:
        begun_ms, on_event, venue = self._agenda.now_ms, self._on_event, self._venue
        match work:
            case SendStop(symbol=symbol, client_id=client_id):
                stop = self._release_stop(client_id)
                if stop is not None:

                    def placed(out: StopOutcome) -> None:
                        on_event(StopAnswered(symbol=symbol, client_id=client_id, outcome=out))

                    self._wire.write(lambda stamp: venue.stops.place(stop, placed, stamp), placed)
            case CancelStop(symbol=symbol, client_id=client_id):

                def cancelled(done: bool) -> None:
                    on_event(StopCancelAnswered(symbol=symbol, client_id=client_id, is_done=done))

                self._wire.write(
                    lambda stamp: venue.stops.cancel(symbol, client_id, cancelled, stamp), lambda _: cancelled(False)
                )
            case LookUpStop(symbol=symbol, client_id=client_id):
                venue.stops.look_up(
                    symbol,
                    client_id,
                    lambda out: on_event(StopRead(symbol=symbol, client_id=client_id, begun_ms=begun_ms, outcome=out)),
                )
            case ReadOpenStops():
                venue.stops.waiting(lambda found: on_event(StopsRead(begun_ms=begun_ms, reports=found)))

    def _later(self, work: Work, reason: str) -> None:
        self._agenda.after(0, "not sent", work, lambda: self._on_event(unsent(work, reason, self._agenda.now_ms)))
