"""Which resting orders a print fills, and how much of each."""

from __future__ import annotations

from exchanges.sim.order_state import Order
from exchanges.sim.resting import RestingSide
from exchanges.sim.settings import FillModel, ThroughFill
from grid.order import Side


def allocate(
    side: RestingSide, price: int, quantity: int, aggressor: Side, time_ms: int, model: FillModel
) -> list[tuple[Order, int]]:
    """Share one print out over the resting orders of one side, best price first; shortens the queues it passes.

    Orders priced better than the print fill whole (or up to what was traded, by the model). At the print's price, where
    the aggressor hit this side, what was traded first eats the others ahead of each order, then the order, in the order
    of arrival. Every traded step is used once. An order that arrived after the print's time is left alone.
    """
    fills: list[tuple[Order, int]] = []
    left = quantity
    for order in side.better_than(price):
        if order.arrived_ms > time_ms:
            continue
        take = order.left if model.through is ThroughFill.WHOLE else min(order.left, left)
        if take:
            fills.append((order, take))
            left = max(0, left - take)
    if left and aggressor is not side.side:
        fills.extend(_at_level(side.at(price), left, time_ms))
    return fills


def _at_level(level: list[Order], quantity: int, time_ms: int) -> list[tuple[Order, int]]:
    fills: list[tuple[Order, int]] = []
    left = quantity
    passed = 0
    waiting = [order for order in level if order.arrived_ms <= time_ms]
    for order in waiting:
        others = min(left, max(0, order.ahead - passed))
        passed += others
        left -= others
        take = min(left, order.left)
        if take:
            fills.append((order, take))
            left -= take
        if not left:
            break
    for order in waiting:
        order.ahead = max(0, order.ahead - passed)
    return fills


def join_queue(order: Order, shown: int | None, top: int, model: FillModel) -> None:
    """Set the queue ahead of an order that starts to rest.

    `shown` is what the others show at its price, None where the tape does not tell (a level away from the best);
    then the model guesses: nobody, or as much as the best price holds (`top`).
    """
    order.ahead_seen = shown is not None
    if shown is not None:
        order.ahead = shown
    else:
        order.ahead = 0 if model.hidden_level_is_empty else top


def see_level(level: list[Order], shown: int, model: FillModel) -> None:
    """Let the best price's shown size correct the queues there.

    Where the level is shown for the first time, all of it is taken to be ahead; later it only shortens the queue where
    the model counts cancels as ahead of us.
    """
    for order in level:
        if not order.ahead_seen:
            order.ahead = min(order.ahead, shown) if model.hidden_level_is_empty else shown
            order.ahead_seen = True
        elif model.cancels_shrink_queue and shown < order.ahead:
            order.ahead = shown
