"""The matching engine of the simulated venue: one synchronous state machine, told the time with every call."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from random import Random

from exchanges.sim.algo_orders import AlgoView, NewAlgoOrder
from exchanges.sim.foreign import ForeignActor
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import MarketEvent
from exchanges.sim.orders import NewOrder
from exchanges.sim.reader import Reader
from exchanges.sim.settings import AccountSpec, EngineConfig
from exchanges.sim.venue_events import Placed, VenueEvent
from exchanges.sim.views import MarginType, PositionView
from grid.order import Side


class MatchingEngine:
    """Orders, fills, margin, funding and liquidation of any number of accounts on any number of symbols.

    WHEN AN ORDER FILLS
    ...
    """

    read: Reader
    """Every query; nothing in it changes the state."""
    foreign: ForeignActor
    """Hands other than the client's: manual orders, liquidation, ADL, delisting."""

    def __init__(
        self, instruments: Iterable[SimInstrument], *, rng: Random, config: EngineConfig | None = None, start_ms: int = 0
    ) -> None:
        raise NotImplementedError

    def open_account(self, spec: AccountSpec, now_ms: int) -> list[VenueEvent]:
        """Open an account with a deposit (an income row TRANSFER)."""
        raise NotImplementedError

    def on_market(self, event: MarketEvent) -> list[VenueEvent]:
        """Let the market move; returns what it caused, in order. Does `advance` to the event's time first."""
        raise NotImplementedError

    def advance(self, now_ms: int) -> list[VenueEvent]:
        """Let time pass: countdown cancels, GTD ends, scheduled funding."""
        raise NotImplementedError

    def submit(self, account: str, order: NewOrder, now_ms: int) -> Placed:
        """Place an order that arrives at the matcher at `now_ms`. Raises `Refused`; then nothing happened."""
        raise NotImplementedError

    def check(self, account: str, order: NewOrder, now_ms: int) -> None:
        """Judge an order as `submit` would, without placing it (POST /order/test)."""
        raise NotImplementedError

    def cancel(self, account: str, symbol: str, now_ms: int, *, order_id: int = 0, client_id: str = "") -> Placed:
        """Cancel one open order; `order_id` counts where both are given. Raises `Refused` -2011."""
        raise NotImplementedError

    def cancel_all(self, account: str, symbol: str, now_ms: int) -> list[VenueEvent]:
        """Cancel every open order of the symbol, whoever of the account placed it. Algo orders stay."""
        raise NotImplementedError

    def modify(
        self,
        account: str,
        symbol: str,
        now_ms: int,
        *,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        order_id: int = 0,
        client_id: str = "",
    ) -> Placed:
        """Amend price and quantity of an open LIMIT order. It goes to the end of the queue, and is judged as if new.

        `quantity` is the whole quantity; at or under what is filled, the order is cancelled. Raises `Refused` -2013, -5027...
        """
        raise NotImplementedError

    def set_leverage(self, account: str, symbol: str, leverage: int, now_ms: int) -> tuple[PositionView, list[VenueEvent]]:
        """Change the leverage; `notional_max` of the result is the cap that goes with it."""
        raise NotImplementedError

    def set_margin_type(self, account: str, symbol: str, margin_type: MarginType, now_ms: int) -> list[VenueEvent]:
        """Change the margin type; refused with open orders, a position, or no change."""
        raise NotImplementedError

    def set_hedge_mode(self, account: str, hedge_mode: bool, now_ms: int) -> list[VenueEvent]:
        """Change the position mode; refused with open orders, a position, or no change. Orders need one-way mode."""
        raise NotImplementedError

    def set_countdown(self, account: str, symbol: str, countdown_ms: int, now_ms: int) -> list[VenueEvent]:
        """Cancel all open orders of the symbol at `now_ms + countdown_ms` unless set again; 0 stops it."""
        raise NotImplementedError

    def transfer(self, account: str, amount: Decimal, now_ms: int, asset: str = "USDT") -> list[VenueEvent]:
        """Move money in (positive) or out."""
        raise NotImplementedError

    def submit_algo(self, account: str, order: NewAlgoOrder, now_ms: int) -> tuple[AlgoView, list[VenueEvent]]:
        """Place a conditional order. Raises `Refused`."""
        raise NotImplementedError

    def cancel_algo(
        self, account: str, now_ms: int, *, algo_id: int = 0, client_id: str = ""
    ) -> tuple[AlgoView, list[VenueEvent]]:
        """Cancel one waiting conditional order. Raises `Refused` -2011."""
        raise NotImplementedError

    def cancel_all_algos(self, account: str, symbol: str, now_ms: int) -> list[VenueEvent]:
        """Cancel every waiting conditional order of the symbol."""
        raise NotImplementedError
