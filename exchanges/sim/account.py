"""One account of the venue: wallet, holdings, orders and ledger rows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from exchanges.sim.algo_state import AlgoOrder
from exchanges.sim.money import units_of
from exchanges.sim.order_state import Order
from exchanges.sim.orders import Fill
from exchanges.sim.settings import AccountSpec
from exchanges.sim.views import Income, MarginType
from grid.order import Side


@dataclass(slots=True, kw_only=True, eq=False)
class Holding:
    """What one account has on one symbol: position, settings and open orders. Money in 1e-8, quantities in steps.

    `cost` is the signed sum of entry price times quantity, so unrealised profit is notional at mark
    less cost, long or short.
    `bids` and `asks` are the notional of open orders that are not reduce-only.
    """

    symbol: str
    leverage: int
    margin_type: MarginType
    quantity: int = 0
    cost: int = 0
    realised: int = 0
    fees: int = 0
    isolated_wallet: int = 0
    bids: int = 0
    asks: int = 0
    orders: dict[int, Order] = field(default_factory=dict)
    updated_ms: int = 0

    @property
    def is_isolated(self) -> bool:
        """Whether the position has its own margin."""
        return self.margin_type is MarginType.ISOLATED

    @property
    def closing_side(self) -> Side | None:
        """Return the side that makes the position smaller; None when flat."""
        if not self.quantity:
            return None
        return Side.SELL if self.quantity > 0 else Side.BUY

    def reducible(self, side: Side) -> int:
        """Return how many steps an order of that side can close."""
        return abs(self.quantity) if side is self.closing_side else 0

    def reduce_only_left(self, side: Side, besides: Order | None = None) -> int:
        """Return the open steps of resting reduce-only orders of a side."""
        return sum(
            order.left
            for order in self.orders.values()
            if order.reduce_only and order.side is side and order is not besides
        )


class Account:
    """All that belongs to one account. `wallet` holds 1e-8 of each asset."""

    def __init__(self, spec: AccountSpec, history_max: int) -> None:
        self.spec = spec
        self.name = spec.account
        self.asset = spec.asset
        self.hedge_mode = spec.hedge_mode
        self.wallet: dict[str, int] = {spec.asset: 0}
        self.bnb_price = units_of(spec.bnb_price)
        self.holdings: dict[str, Holding] = {}
        self.orders: dict[int, Order] = {}
        self.order_ids: dict[tuple[str, str], int] = {}
        self.fills: deque[Fill] = deque(maxlen=history_max)
        self.income: deque[Income] = deque(maxlen=history_max)
        self.algos: dict[int, AlgoOrder] = {}
        self.countdowns: dict[str, int] = {}
        self.is_warned = False
        self.is_liquidating = False
        self.updated_ms = 0
        self._history_max = history_max

    def holding(self, symbol: str) -> Holding:
        """Return what the account has on a symbol, created with the account's settings at first use."""
        found = self.holdings.get(symbol)
        if found is None:
            found = Holding(symbol=symbol, leverage=self.spec.leverage, margin_type=self.spec.margin_type)
            self.holdings[symbol] = found
        return found

    def cross_wallet(self) -> int:
        """Return the margin asset not tied to isolated positions, in 1e-8."""
        return self.wallet[self.asset] - sum(holding.isolated_wallet for holding in self.holdings.values())

    def remember(self, order: Order) -> None:
        """Keep an order for queries; the oldest closed ones go when there are too many."""
        self.orders[order.order_id] = order
        self.order_ids[order.symbol, order.client_id] = order.order_id
        while len(self.orders) > self._history_max:
            oldest = next((key for key, kept in self.orders.items() if not kept.status.is_open), None)
            if oldest is None:
                return
            gone = self.orders.pop(oldest)
            if self.order_ids.get((gone.symbol, gone.client_id)) == oldest:
                del self.order_ids[gone.symbol, gone.client_id]

    def find(self, symbol: str, order_id: int, client_id: str) -> Order | None:
        """Return an order by the venue's id, or else the newest one by its client id."""
        if not order_id:
            order_id = self.order_ids.get((symbol, client_id), 0)
        order = self.orders.get(order_id)
        return order if order is not None and order.symbol == symbol else None
