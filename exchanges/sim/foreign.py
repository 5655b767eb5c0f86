"""Hands other than the client's on the same account and venue: what a program must notice and survive."""

from __future__ import annotations

from dataclasses import replace

from exchanges.sim.algo_desk import AlgoDesk
from exchanges.sim.booking import Booking
from exchanges.sim.clearing import Clearing
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.order_entry import OrderEntry
from exchanges.sim.orders import Execution, ExpiryReason, NewOrder, OrderType
from exchanges.sim.state import VenueState
from exchanges.sim.venue_events import InstrumentEvent, Placed, VenueEvent
from grid.order import Side


class ForeignActor:
    """A person at the venue's own page, and the venue itself."""

    def __init__(
        self, state: VenueState, booking: Booking, entry: OrderEntry, clearing: Clearing, algos: AlgoDesk
    ) -> None:
        self._state = state
        self._booking = booking
        self._entry = entry
        self._clearing = clearing
        self._algos = algos

    def place(self, account: str, order: NewOrder, now_ms: int) -> Placed:
        """Place a manual order: as `submit`, with a client id `web_...` of the venue's making."""
        self._arrive(now_ms)
        manual = replace(order, client_id=f"web_{self._state.venue_client_id()}")
        accepted, placed = self._entry.place(self._state.account(account), manual)
        return Placed(order=self._entry.view(placed), accepted=accepted, events=tuple(self._state.drain()))

    def move_position(self, account: str, symbol: str, quantity: int, now_ms: int, price: int = 0) -> list[VenueEvent]:
        """Trade `quantity` signed steps at once at `price` ticks (0: the others' best), whatever stands in the book.

        The order is a MARKET one with a client id `web_...`; it pays the taker fee and asks for no margin.
        """
        self._arrive(now_ms)
        market, owner = self._state.market(symbol), self._state.account(account)
        side = Side.BUY if quantity > 0 else Side.SELL
        at = price or (market.ask if side is Side.BUY else market.bid) or market.last
        if not quantity or not at:
            raise ValueError(f"{symbol}: nothing to trade, or no price known to trade at")
        order = self._clearing.venue_order(
            owner, owner.holding(symbol), f"web_{self._state.venue_client_id()}", 0, abs(quantity), OrderType.MARKET
        )
        order.side, order.reduce_only = side, False
        self._booking.open(order)
        trade_id = market.next_trade_id()
        self._booking.fill(order, at, abs(quantity), is_maker=False, time_ms=self._state.now_ms, trade_id=trade_id)
        return self._state.drain()

    def liquidate(self, account: str, symbol: str, now_ms: int) -> list[VenueEvent]:
        """Force liquidation of one position: its symbol's orders expire, then `autoclose-...`."""
        self._arrive(now_ms)
        owner = self._state.account(account)
        self._clearing.liquidate(owner, owner.holding(symbol))
        return self._state.drain()

    def auto_deleverage(self, account: str, symbol: str, quantity: int, now_ms: int) -> list[VenueEvent]:
        """Close up to `quantity` steps (positive) of a position at mark against a bankrupt one: `adl_autoclose`."""
        self._arrive(now_ms)
        self._close_by_decree(account, symbol, "adl_autoclose", quantity)
        return self._state.drain()

    def change_instrument(self, instrument: SimInstrument, now_ms: int) -> list[VenueEvent]:
        """Put other filters or fees in force; resting orders stay as they are. Tick and step cannot change."""
        self._arrive(now_ms)
        market = self._state.market(instrument.symbol)
        if (instrument.tick, instrument.step) != (market.instrument.tick, market.instrument.step):
            raise ValueError(f"{instrument.symbol}: tick and step are what every order here is counted in")
        market.instrument = instrument
        self._state.emit(InstrumentEvent(symbol=instrument.symbol, time_ms=self._state.now_ms))
        return self._state.drain()

    def delist(self, symbol: str, now_ms: int) -> list[VenueEvent]:
        """Settle the symbol: orders expire, positions close at mark (`settlement_autoclose-...`), status SETTLING."""
        self._arrive(now_ms)
        market = self._state.market(symbol)
        market.instrument = market.instrument.with_status("SETTLING")
        self._algos.expire_all(symbol)
        for account in self._state.accounts.values():
            self._entry.expire_all(account, symbol, ExpiryReason.DELISTED)
            client_id = f"settlement_autoclose-{self._state.next_tran_id()}"
            self._close_by_decree(account.name, symbol, client_id, abs(account.holding(symbol).quantity))
        self._state.emit(InstrumentEvent(symbol=symbol, time_ms=self._state.now_ms))
        return self._state.drain()

    def _close_by_decree(self, account: str, symbol: str, client_id: str, quantity: int) -> None:
        owner, market = self._state.account(account), self._state.market(symbol)
        holding = owner.holding(symbol)
        steps = min(quantity, abs(holding.quantity))
        price = market.instrument.ticks(market.mark_price())
        if steps and price:
            order = self._clearing.venue_order(owner, holding, client_id, price, steps, OrderType.LIMIT)
            self._booking.open(order)
            self._clearing.give(order, market, price, steps, Execution.TRADE)

    def _arrive(self, now_ms: int) -> None:
        self._state.now_ms = max(self._state.now_ms, now_ms)
