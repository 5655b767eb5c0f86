"""The desk's calls to the venue as the account's one line takes them: lane, cost, life, and the end of the unsent."""

from __future__ import annotations

from exchanges.cost import CallCosts, Cost
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
    NotSent,
    OpenOrdersRead,
    OrderRead,
    PlaceAnswered,
    PositionsRead,
    StopAnswered,
    StopCancelAnswered,
    StopRead,
    StopsRead,
    TradesRead,
)
from exchanges.lane import Lane

Reading = LookUp | LookUpStop | ReadOpenOrders | ReadOpenStops | ReadPositions | ReadTrades
Work = Send | SendCancel | SendStop | CancelStop | Reading

LANE_SIZE = 1_000
ENTRY_LIFE_MS = 5_000
WORK_LIFE_MS = 60_000


def lane_of(work: Work) -> Lane:
    """Return the lane in which the work waits."""
    match work:
        case Send(lane=lane):
            return lane
        case SendCancel() | CancelStop():
            return Lane.CANCEL
        case SendStop():
            return Lane.EXIT
        case _:
            return Lane.READ


def life_ms(lane: Lane) -> int:
    """Return how long work of a lane may wait: an entry's price is soon not the one that was meant."""
    return ENTRY_LIFE_MS if lane is Lane.ENTRY else WORK_LIFE_MS


def cost_of(work: Work, costs: CallCosts) -> Cost:
    """Return what the work spends by the venue's list; of trades the first page."""
    match work:
        case Send() | SendStop():
            return costs.place
        case SendCancel() | CancelStop():
            return costs.cancel
        case LookUp() | LookUpStop():
            return costs.order
        case ReadTrades():
            return costs.fills
        case ReadPositions():
            return costs.positions
        case ReadOpenOrders() | ReadOpenStops():
            return costs.open_orders


def unsent(work: Work, reason: str, now_ms: int) -> Event:
    """Return the event that ends work which never left our own line."""
    outcome = NotSent(reason=reason, is_ours=True)
    match work:
        case Send(client_id=client_id):
            return PlaceAnswered(client_id=client_id, outcome=outcome)
        case SendCancel(client_id=client_id):
            return CancelAnswered(client_id=client_id, outcome=outcome)
        case SendStop(symbol=symbol, client_id=client_id):
            return StopAnswered(symbol=symbol, client_id=client_id, outcome=outcome)
        case CancelStop(symbol=symbol, client_id=client_id):
            return StopCancelAnswered(symbol=symbol, client_id=client_id, is_done=False)
        case LookUpStop(symbol=symbol, client_id=client_id):
            return StopRead(symbol=symbol, client_id=client_id, begun_ms=now_ms, outcome=outcome)
        case ReadOpenStops():
            return StopsRead(begun_ms=now_ms, reports=None)
        case LookUp(symbol=symbol, client_id=client_id, order_id=order_id):
            return OrderRead(client_id=client_id, begun_ms=now_ms, outcome=outcome, symbol=symbol, order_id=order_id)
        case ReadOpenOrders():
            return OpenOrdersRead(begun_ms=now_ms, reports=None)
        case ReadPositions():
            return PositionsRead(begun_ms=now_ms, positions=None)
        case ReadTrades(symbol=symbol, since_ms=since_ms, order_id=order_id):
            return TradesRead(symbol=symbol, since_ms=since_ms, begun_ms=now_ms, fills=None, order_id=order_id)
