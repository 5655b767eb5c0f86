"""The venue's own record of what happened, kept beside the world and never shown to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from actors.virtual.settings import ACCOUNT, GridPlan
from actors.virtual.world import World
from exchanges.desk.events import Outcome, Refused
from exchanges.desk.settings import Breakers
from exchanges.errors import Refusal
from exchanges.sim.orders import Execution, OrderView
from exchanges.sim.orders import Fill as VenueFill
from exchanges.sim.port_words import account_of
from exchanges.sim.venue_events import OrderEvent
from grid.client_id import ClientId, decode
from grid.holds import HoldCause
from grid.order import OrderRequest
from grid.records import FillBooked, HoldLifted, HoldPut, OrderIntended, from_body
from grid.slot import SlotKey
from risk.breakers import BreakerRules

FillKey = tuple[str, str, str]
MARK_LATE_MS = 3_000


def _is(outcome: Outcome, refusal: Refusal) -> bool:
    return isinstance(outcome, Refused) and outcome.refusal is refusal


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
    unheard_ms: dict[str, int] = field(default_factory=dict)
    """Of symbols whose quotes do not come: since when the price has been another than that of the last one."""
    shocks: list[tuple[int, int]] = field(default_factory=list)
    """When the watched coins fell, from and to."""
    closed_ms: dict[str, int] = field(default_factory=dict)
    """Since when the venue takes no orders of a symbol."""
    ruled_ms: dict[str, int] = field(default_factory=dict)
    """When the venue last changed a symbol's rules."""
    unanswered: set[str] = field(default_factory=set)
    """Symbols of which the venue closed something by force, and no hold has said so yet."""
    ruled: set[str] = field(default_factory=set)
    """Symbols under a hold `venue_rule`, as the journal has it."""
    were_breakers_cleared: bool = False
    """Whether the operator has lifted what breakers hold."""
    cash: dict[str, Decimal] = field(default_factory=dict)
    """By symbol: what our own fills moved, fees apart, in quote currency."""
    fees: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    """By symbol and asset: the fees of our own fills."""
    refusals: list[tuple[int, OrderRequest, Outcome]] = field(default_factory=list)
    """When and how the venue said no to a placement."""
    lives: dict[str, tuple[str, int]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    """What contradicts the record already as it comes in."""
    first_marks: dict[str, Decimal] = field(default_factory=dict)
    """Of each grid that waits for a price: the mark that it began to wait at."""
    begun: set[str] = field(default_factory=set)
    """Symbols whose mark was at, or beyond, the price that their grid waits for."""
    _beyond_ms: dict[str, int] = field(default_factory=dict)
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
            if is_own:
                self._on_own_fill(fill)

    def note_lives(self) -> None:
        """Remember which lives the actors are in."""
        self.lives = {name: self.world.life(name) for name in self.world.names}

    def is_same_life(self, *names: str) -> bool:
        """Whether these actors have lived through since then."""
        return all(self.world.is_in_life(name, self.lives.get(name, ("", -1))) for name in names)

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
            elif kind == "hold":
                put = from_body(kind, body)
                assert isinstance(put, HoldPut)
                if put.hold.cause is HoldCause.VENUE_RULE:
                    self.unanswered.discard(put.hold.symbol)
                    self.ruled.add(put.hold.symbol)
            elif kind == "lift":
                lifted = from_body(kind, body)
                assert isinstance(lifted, HoldLifted)
                if lifted.cause is HoldCause.VENUE_RULE:
                    self.ruled.discard(lifted.symbol)
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
        return self.cash.get(symbol, Decimal(0))

    def own_fees(self, symbol: str, asset: str) -> Decimal:
        """Return the fees of our own fills in an asset."""
        return self.fees.get((symbol, asset), Decimal(0))

    @property
    def filter_refusals(self) -> list[tuple[str, int]]:
        """Return symbol and time of every refusal by a filter."""
        return [(request.symbol, at_ms) for at_ms, request, out in self.refusals if _is(out, Refusal.FILTER)]

    def refused_ms(self, symbol: str) -> int | None:
        """Return when an entry was first refused since the symbol is closed."""
        closed_ms = self.closed_ms.get(symbol, 0)
        found = (
            at_ms
            for at_ms, request, out in self.refusals
            if request.symbol == symbol
            and not request.closing
            and at_ms >= closed_ms
            and _is(out, Refusal.SYMBOL_CLOSED)
        )
        return next(found, None)

    def day_lost_since_ms(self, floor: Decimal) -> int | None:
        """Return since when the account's equity is at or under this, as far as anybody has asked."""
        view = account_of(self.world.venue.engine.read.account(ACCOUNT))
        if view.wallet + view.unrealised > floor:
            self._beyond_ms.pop("day", None)
            return None
        return self._beyond_ms.setdefault("day", self.world.agenda.now_ms)

    def breakers(self) -> list[tuple[str, Breakers]]:
        """Return every scope's breakers."""
        settings = self.world.settings
        every = [("", settings.desk.breakers), *((grid.symbol, grid.breakers) for grid in settings.grids)]
        return [(scope, breakers) for scope, breakers in every if breakers is not None]

    def is_beyond(self, scope: str, rules: BreakerRules) -> str:
        """Return what limit the scope has been beyond for longer than a mark takes to arrive; empty where none."""
        grids = [grid for grid in self.world.settings.grids if scope in ("", grid.symbol)]
        kept = self.world.book.account.breakers.get(scope)
        base = kept.base if kept is not None else Decimal(0)
        profit = sum((self._profit(grid) for grid in grids), Decimal(0)) - base
        is_beyond = rules.stop_loss is not None and profit <= -rules.stop_loss
        is_beyond = is_beyond or any(self.is_at_an_end(grid, rules) for grid in grids if scope)
        since_ms = self._beyond_ms.setdefault(scope, self.world.agenda.now_ms) if is_beyond else None
        if since_ms is None:
            self._beyond_ms.pop(scope, None)
            return ""
        return f"is at {profit} since {since_ms}" if self.world.agenda.now_ms - since_ms > MARK_LATE_MS else ""

    def note_marks(self) -> None:
        """Look at the marks that grids wait for."""
        for grid in self.world.settings.grids:
            if grid.trigger is not None and grid.symbol not in self.begun and self.is_beyond_trigger(grid):
                self.begun.add(grid.symbol)

    def note_quotes(self) -> None:
        """Look whether what was last heard of a symbol whose quotes do not come is its price all the same."""
        for symbol in self.world.venue.frozen:
            feed = self.world.feeds.get(symbol)  # a host that has just taken over, and died at once, has none
            heard = feed.last_bids.get(symbol) if feed is not None else None
            if heard == self.world.venue.engine.read.book(symbol).bid:
                self.unheard_ms.pop(symbol, None)
            else:
                self.unheard_ms.setdefault(symbol, self.world.agenda.now_ms)

    def is_beyond_trigger(self, grid: GridPlan) -> bool:
        """Whether the venue's mark is at the price that the grid waits for, or on its other side."""
        mark = self.world.venue.engine.read.premium_index(grid.symbol).mark_price
        if grid.trigger is None or not mark:
            return False
        first = self.first_marks.setdefault(grid.symbol, mark)
        return mark >= grid.trigger if first < grid.trigger else mark <= grid.trigger

    def has_not_begun(self, grid: GridPlan) -> bool:
        """Whether the grid waits for its price and holds nothing: then it has no end either."""
        book = self.world.book
        waits = book.holds.find(HoldCause.TRIGGER, grid.symbol) is not None
        return waits and not any(True for _ in book.symbol(grid.symbol).lots())

    def is_at_an_end(self, grid: GridPlan, rules: BreakerRules) -> bool:
        """Whether the venue's mark is at or beyond a price at which the whole grid ends."""
        if self.has_not_begun(grid):
            return False
        mark, sign = self.world.venue.engine.read.premium_index(grid.symbol).mark_price, grid.side.sign
        stop, goal = rules.stop_price, rules.profit_price
        return (stop is not None and mark * sign <= stop * sign) or (goal is not None and mark * sign >= goal * sign)

    def _profit(self, grid: GridPlan) -> Decimal:
        mark = self.world.venue.engine.read.premium_index(grid.symbol).mark_price
        held = grid.venue.quantity(self.positions[grid.symbol]) * mark
        return self.own_cash(grid.symbol) + held - self.own_fees(grid.symbol, grid.venue.quote)

    def _on_own_fill(self, fill: VenueFill) -> None:
        instrument = next(grid.venue for grid in self.world.settings.grids if grid.symbol == fill.symbol)
        notional = instrument.price(fill.price) * instrument.quantity(fill.quantity)
        self.cash[fill.symbol] = self.own_cash(fill.symbol) - fill.side.sign * notional
        key = (fill.symbol, fill.commission_asset)
        self.fees[key] = self.own_fees(*key) + fill.commission
