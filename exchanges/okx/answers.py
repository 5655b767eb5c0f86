"""What the venue's short answers to writes mean: two ids for an order, a number for a setting."""

from __future__ import annotations

from typing import Any

from exchanges import wire
from exchanges.errors import BadReply, VenueError
from exchanges.okx import wire_rules
from exchanges.okx.codes import CODES
from exchanges.outcome import Effect, judge
from exchanges.session.answers import certain
from grid.order import OrderReport, OrderRequest, OrderStatus


def acknowledged(row: wire.Row, request: OrderRequest) -> OrderReport:
    """Return the order that the venue took; an answer about another one leaves the outcome unknown."""
    try:
        told, order_id = wire.text(row, "clOrdId", "order"), wire.text(row, "ordId", "order")
        if told != request.client_id or not order_id:
            raise BadReply(f"order.clOrdId: asked about {request.client_id}, answered {wire.shown(told)}")
        venue_ms = wire.integer(row, "ts", "order")
    except BadReply as failure:
        raise judge(failure, Effect.WRITE, CODES) from None
    return OrderReport(
        symbol=request.symbol,
        order_id=order_id,
        client_id=request.client_id,
        side=request.side,
        status=OrderStatus.NEW,
        price=request.price,
        quantity=request.quantity,
        filled=0,
        closing=request.closing,
        venue_ms=venue_ms,
    )


def told_back(reply: Any, key: str, where: str) -> int:
    """Return the number that an act set, as the venue repeats it; what can't be read leaves the outcome unknown."""
    return certain(lambda: int(wire.decimal(wire_rules.only_row(reply, where), key, where)), CODES)


async def item_of(item: wire.Row | VenueError) -> wire.Row:
    """Return an item of a list of operations, or raise its error."""
    if isinstance(item, VenueError):
        raise item
    return item
