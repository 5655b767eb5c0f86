"""The venue's own record of what happened, kept beside the world and never shown to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from actors.virtual.world import World
from exchanges.sim.orders import Execution, OrderView
from exchanges.sim.orders import Fill as VenueFill
from exchanges.sim.venue_events import OrderEvent
from grid.client_id import ClientId, decode
from grid.order import OrderRequest
from grid.records import FillBooked, OrderIntended, from_body
from grid.slot import SlotKey

FillKey = tuple[str, str, str]


@dataclass(slots=True)
class Truth:
    """Orders, fills and positions as the venue has them, and what the journal made of them so far."""

    world: World
    journal_id: str
    open: dict[str, OrderView] = field(default_factory=dict)
    """Our own open orders by client id."""
    fills: dict[FillKey, tuple[VenueFill, str]] = field(default_factory=dict)
    """Every fill of the account with its client id."""
    unbooked: dict[FillKey, int] = field(default_factory=dict)
    """Signed steps of the fills that the journal does not hold."""
    booked: dict[FillKey, str] = field(default_factory=dict)
    """The client id under which the journal booked each fill; empty where as foreign."""
    positions: Counter[str] = field(default_factory=Counter)
    placed: set[str] = field(default_factory=set)
    intended: set[str] = field(default_factory=set)
    sent: list[OrderRequest] = field(default_factory=list)
    """Placements since the last look."""
    has_foreign_fills: bool = False
    operator_holds: bool = False
    """Whether the operator's last word, taken by the gateway, was to hold."""
    frozen_ms: dict[str, int] = field(default_factory=dict)
    """Since when a symbol's quotes do not come."""
    shocks: list[tuple[int, int]] = field(default_factory=list)
    """When the watched coins fell, from and to."""
    lives: dict[str, int] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    """What contradicts the record already as it comes in."""
    _rows: int = 0
    _identities: dict[str, ClientId | None] = field(default_factory=dict)

    def identity(self, client_id: str, symbol: str) -> ClientId | None:
        """Return what an id of ours says, None for anybody else's."""
        if client_id not in self._identities:
            found = decode(client_id, symbol)
            self._identities[client_id] = found if found is not None and found.journal == self.journal_id else None
        return self._identities[client_id]

    def key_of(self, client_id: str, symbol: str) -> SlotKey | None:
        """Return the slot that an id of ours names."""
        found = self.identity(client_id, symbol)
        return SlotKey(symbol=symbol, generation=found.generation, level=found.level) if found is not None else None

    def on_order(self, event: OrderEvent) -> None:
        """Take an event of the engine."""
        order, fill = event.order, event.fill
        is_own = self.identity(order.client_id, order.symbol) is not None
        if event.execution is Execution.NEW and is_own:
            if order.client_id in self.placed:
                self.complaints.append(f"client id {order.client_id} was used twice")
            self.placed.add(order.client_id)
        if event.execution is Execution.CANCELED and not is_own:
            self.complaints.append(f"an order that is not ours was cancelled: {order.client_id}")
        if is_own:
            if order.status.is_open:
                self.open[order.client_id] = order
            else:
                self.open.pop(order.client_id, None)
        if fill is not None:
            key = (fill.symbol, str(fill.order_id), str(fill.trade_id))
            signed = fill.side.sign * fill.quantity
            self.fills[key] = (fill, order.client_id if is_own else "")
            self.unbooked[key] = signed
            self.positions[fill.symbol] += signed
            self.has_foreign_fills |= not is_own

    def note_lives(self) -> None:
        """Remember which lives the actors are in."""
        self.lives = {name: self.world.network.life(name) for name in self.world.names}

    def is_same_life(self, *names: str) -> bool:
        """Whether these actors have lived through since then."""
        return all(self.world.network.in_life(name, self.lives.get(name, -1)) for name in names)

    def on_sent(self, request: OrderRequest) -> None:
        """Take note of a placement that leaves the gateway."""
        self.sent.append(request)

    def read_journal(self) -> bool:
        """Take in what the journal has gained; return whether it has."""
        rows = self.world.journal
        if len(rows) == self._rows:
            return False
        for kind, _, body in rows[self._rows :]:
            if kind == "intent":
                record = from_body(kind, body)
                assert isinstance(record, OrderIntended)
                self.intended.add(record.client_id)
            elif kind == "fill":
                booked = from_body(kind, body)
                assert isinstance(booked, FillBooked)
                self._on_booked(booked)
        self._rows = len(rows)
        return True

    def _on_booked(self, record: FillBooked) -> None:
        fill = record.fill
        if fill.key in self.booked:
            self.complaints.append(f"fill {fill.key} is booked twice")
        self.booked[fill.key] = record.client_id
        self.unbooked.pop(fill.key, None)
        known = self.fills.get(fill.key)
        if known is None:
            self.complaints.append(f"fill {fill.key} is booked and never happened")
            return
        real, owner = known
        if (real.quantity, real.price, real.commission) != (fill.quantity, fill.price, fill.fee):
            self.complaints.append(f"fill {fill.key} is booked as {fill}, it was {real}")
        if owner != record.client_id:
            self.complaints.append(
                f"fill {fill.key} of {owner or 'others'} is booked for {record.client_id or 'others'}"
            )

    def own_cash(self, symbol: str) -> Decimal:
        """Return what our own fills moved, fees apart, in quote currency."""
        instrument = next(grid.venue for grid in self.world.settings.grids if grid.symbol == symbol)
        total = Decimal(0)
        for fill, owner in self.fills.values():
            if owner and fill.symbol == symbol:
                total -= fill.side.sign * instrument.price(fill.price) * instrument.quantity(fill.quantity)
        return total

    def own_fees(self, symbol: str) -> Decimal:
        """Return the fees of our own fills."""
        found = (fill.commission for fill, owner in self.fills.values() if owner and fill.symbol == symbol)
        return sum(found, Decimal(0))
