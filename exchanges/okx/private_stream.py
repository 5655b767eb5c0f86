"""What the account's own stream says, as events of the port: orders with their fills, and positions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from exchanges import wire
from exchanges.okx import wire_account, wire_orders, wire_stops
from exchanges.okx.contracts import Contracts
from exchanges.okx.wire_rules import rows
from exchanges.port import ConfigurationChanged, PrivateEvent
from exchanges.session.ages import StreamName

NAME = "private"
ORDERS, POSITIONS = "orders:SWAP", "positions:SWAP"
PRIVATE_STREAMS = [StreamName(venue=ORDERS, ours=NAME), StreamName(venue=POSITIONS, ours=NAME)]
"""One stream to us: it is up when both are."""


class PrivateTaking:
    """Turns messages into events, whole and in order. Rules are read anew for a swap that is not known yet."""

    def __init__(
        self,
        contracts: Callable[[], Contracts],
        reload_rules: Callable[[], Awaitable[None]],
        put: Callable[[PrivateEvent], Awaitable[None]],
    ) -> None:
        self._contracts = contracts
        self._reload_rules = reload_rules
        self._put = put

    async def take(self, name: str, message: wire.Row) -> None:
        """Take one message of either channel."""
        try:
            events = self._events(message)
        except wire.UnknownSymbol:
            await self._reload_rules()
            events = self._events(message)
        for event in events:
            await self._put(event)

    def _events(self, message: wire.Row) -> list[PrivateEvent]:
        channel = wire.mapping(message.get("arg"), "private.arg").get("channel")
        contracts = self._contracts()
        told = [row for row in rows(message, NAME) if row.get("instId") not in contracts.others]
        if channel == "orders":
            return [event for row in told for event in _of_order(row, contracts)]
        return [_position(row, contracts) for row in told]


def _of_order(row: wire.Row, contracts: Contracts) -> list[PrivateEvent]:
    """Return an order's event, after that of the conditional order that it came of."""
    update = wire_orders.update(row, contracts)
    triggered = wire_stops.triggered(row, contracts)
    return [update] if triggered is None else [triggered, update]


def _position(row: wire.Row, contracts: Contracts) -> PrivateEvent:
    side = wire.text(row, "posSide", "positions")
    if side == wire_account.ONE_WAY:
        return wire_account.position(row, contracts)
    return ConfigurationChanged(what=f"hedge mode: {side} position in {row.get('instId')}")
