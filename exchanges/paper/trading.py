"""The private half of a venue on paper: every method of the port, answered by our own engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from exchanges.cost import CallCosts, Cost
from exchanges.errors import Refusal, VenueError, VenueRefused, VenueUnreachable
from exchanges.paper.memory import ACCOUNT
from exchanges.paper.store import PaperStore
from exchanges.paper.terms import PaperTerms
from exchanges.paper.venue import HISTORY_MAX, PaperVenue
from exchanges.port import (
    Account,
    ConductIndicator,
    FeeRates,
    Income,
    MaintenanceTier,
    MarketVenue,
    Position,
    PrivateEvent,
    UsedQuota,
    VenueRules,
)
from exchanges.sim import port_words
from exchanges.sim.engine import MatchingEngine
from exchanges.sim.refusal import Refused
from exchanges.sim.views import MarginType
from grid.instrument import Instrument
from grid.order import Fill, OrderReport, OrderRequest
from grid.stop import StopReport
from risk.veto import Approved, ApprovedStop

A = TypeVar("A")
Answer = OrderReport | BaseException
ABOUTS_MAX = 10_000
NOTHING = Cost()
COSTS = CallCosts(
    place=Cost(orders=1),
    cancel=Cost(cancels=1),
    order=NOTHING,
    open_orders=NOTHING,
    positions=NOTHING,
    fills=NOTHING,
    account=NOTHING,
    income=NOTHING,
    rules=NOTHING,
    quote=NOTHING,
    terms=NOTHING,
    countdown=NOTHING,
)


class PaperTrading:
    """A `TradingVenue` without a venue behind it: it has no key, and nothing of ours ever leaves this process.

    `market` is held and closed by this. While nobody listens the market goes on unseen: what was traded meanwhile
    fills nothing.
    """

    def __init__(
        self,
        *,
        market: MarketVenue,
        terms: PaperTerms,
        store: PaperStore,
        now_ms: Callable[[], int],
        monotonic_ns: Callable[[], int],
        strict_time: bool = False,
    ) -> None:
        self.on_quota: Callable[[UsedQuota], None] | None = None
        self.toll: Callable[[Cost], Awaitable[None]] | None = None
        self.costs = COSTS
        self.venue = PaperVenue(
            market=market, terms=terms, store=store, monotonic_ns=monotonic_ns, strict_time=strict_time
        )
        self._now_ms = now_ms
        self._abouts: dict[str, str] = {}
        """What the orders of this life are, in words that no accident of the journal is part of."""
        self._fence: Callable[[], None] = _nothing

    def fence_by(self, fence: Callable[[], None]) -> None:
        """Ask `fence` before every call that changes something."""
        self._fence = fence

    @property
    def orders_by_socket(self) -> bool:
        """No order goes over anything."""
        return False

    async def connect(self) -> None:
        """Read the rules and the present prices, and begin or go on with the account."""
        await self.venue.load()

    async def rules(self) -> VenueRules:
        """Return the rules of those symbols, traded or watched, that the venue has."""
        await self.venue.load()
        found = dict(self.venue.instruments)
        for symbol in self.venue.terms.watched:
            try:
                found[symbol] = found.get(symbol) or await self.venue.market.instrument(symbol)
            except VenueRefused:
                continue
        return VenueRules(instruments=found, rate_windows=())

    async def instrument(self, symbol: str) -> Instrument:
        """Return a symbol's rules; one that is new is traded here from now on."""
        await self.venue.list_symbol(symbol)
        return self.venue.instruments[symbol]

    def place(self, order: Approved) -> Awaitable[OrderReport]:
        """Send one order; it reaches the matcher after its latency."""
        request = order.request
        try:
            if why := self.venue.why_silent(request.symbol):
                raise VenueUnreachable(f"the market is not heard, {why}")
        except VenueError as failure:
            return _failed(failure)
        self._abouts[request.client_id] = about = f"{request.symbol} {request.side.value} {request.price}"
        while len(self._abouts) > ABOUTS_MAX:
            del self._abouts[next(iter(self._abouts))]
        return self._send(request.client_id, f"place {about}", lambda at_ms: self._place(request, at_ms))

    async def place_batch(self, orders: Sequence[Approved]) -> list[Answer]:
        """Place several side by side."""
        return await asyncio.gather(*(self.place(order) for order in orders), return_exceptions=True)

    async def cancel(self, symbol: str, client_id: str) -> OrderReport:
        """Cancel by client id; it never overtakes the order itself."""

        def act(at_ms: int) -> OrderReport:
            placed = self.venue.engine.cancel(ACCOUNT, symbol, at_ms, client_id=client_id)
            self.venue.told(placed.events, is_write=True)
            return port_words.report_of(placed.order)

        return await self._send(client_id, f"cancel {self._abouts.get(client_id, symbol)}", act)

    async def cancel_batch(self, symbol: str, client_ids: Sequence[str]) -> list[Answer]:
        """Cancel several side by side."""
        return await asyncio.gather(*(self.cancel(symbol, one) for one in client_ids), return_exceptions=True)

    async def order(self, symbol: str, client_id: str, order_id: str = "") -> OrderReport:
        """Return the order by either id."""
        engine, number = await self.venue.load(), int(order_id) if order_id.isdigit() else 0
        if order_id and not number:
            raise VenueRefused("-2013", f"no order {order_id}", Refusal.UNKNOWN_ORDER)
        with _words():
            view = engine.read.order(ACCOUNT, symbol, self.venue.axis.now_ms(), order_id=number, client_id=client_id)
        return port_words.report_of(view)

    async def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return the open orders of the account or of one symbol."""
        engine = await self.venue.load()
        with _words():
            return [port_words.report_of(view) for view in engine.read.open_orders(ACCOUNT, symbol)]

    async def place_stop(self, stop: ApprovedStop) -> StopReport:
        """Place one conditional order that closes the position; the engine watches for its price."""
        request = stop.request

        def act(at_ms: int) -> StopReport:
            instrument = self.venue.engine.read.instrument(request.symbol)
            view, events = self.venue.engine.submit_algo(ACCOUNT, port_words.new_stop(request, instrument), at_ms)
            self.venue.told(events, is_write=True)
            return port_words.stop_of(view, instrument)

        return await self._send(request.client_id, f"stop {request.symbol}", act)

    async def cancel_stop(self, symbol: str, client_id: str) -> None:
        """Cancel a waiting conditional order."""

        def act(at_ms: int) -> None:
            _, events = self.venue.engine.cancel_algo(ACCOUNT, at_ms, client_id=client_id)
            self.venue.told(events, is_write=True)

        await self._send(client_id, f"cancel stop {symbol}", act)

    async def stop(self, symbol: str, client_id: str) -> StopReport:
        """Return a conditional order by its client id."""
        engine = await self.venue.load()
        for view in reversed(engine.read.all_algos(ACCOUNT, symbol, limit=0)):
            if view.client_id == client_id:
                return port_words.stop_of(view, engine.read.instrument(symbol))
        raise VenueRefused("-2013", f"no conditional order {client_id}", Refusal.UNKNOWN_ORDER)

    async def open_stops(self) -> list[StopReport]:
        """Return every conditional order that waits."""
        engine = await self.venue.load()
        return [
            port_words.stop_of(view, engine.read.instrument(view.symbol)) for view in engine.read.open_algos(ACCOUNT)
        ]

    async def account(self) -> Account:
        """Return the paper money."""
        engine = await self.venue.load()
        return port_words.account_of(engine.read.account(ACCOUNT))

    async def positions(self) -> list[Position]:
        """Return the position of every symbol, flat ones too."""
        engine = await self.venue.load()
        return [port_words.position_of(view) for view in engine.read.positions(ACCOUNT)]

    async def fee_rates(self, symbol: str) -> FeeRates:
        """Return the configured fees."""
        return FeeRates(symbol=symbol, maker=self.venue.terms.maker_fee, taker=self.venue.terms.taker_fee)

    async def conduct(self) -> list[ConductIndicator]:
        """Nobody measures."""
        return []

    async def maintenance_tiers(self, symbol: str) -> list[MaintenanceTier]:
        """Return brackets of a usual shape: the venue's own are told to account holders only."""
        engine = await self.venue.load()
        with _words():
            brackets = engine.read.instrument(symbol).brackets
        return [
            MaintenanceTier(
                notional_floor=bracket.notional_floor,
                notional_cap=bracket.notional_cap,
                rate=bracket.rate,
                deduction=bracket.cum,
                leverage_max=bracket.leverage_max,
            )
            for bracket in brackets
        ]

    async def fills_since(self, symbol: str, since_ms: int, order_id: str | None = None) -> list[Fill]:
        """Return every fill from `since_ms` on."""
        engine = await self.venue.load()
        with _words():
            rows = engine.read.user_trades(ACCOUNT, symbol, start_ms=max(1, since_ms), limit=HISTORY_MAX)
        return [port_words.fill_of(row) for row in rows if order_id in (None, str(row.order_id))]

    async def orders_since(self, symbol: str, since_ms: int) -> list[OrderReport]:
        """Return every order made from `since_ms` on."""
        engine = await self.venue.load()
        with _words():
            rows = engine.read.all_orders(
                ACCOUNT, symbol, self.venue.axis.now_ms(), start_ms=max(1, since_ms), limit=HISTORY_MAX
            )
        return [port_words.report_of(row) for row in rows]

    async def income_since(self, since_ms: int) -> list[Income]:
        """Return every ledger row from `since_ms` on."""
        engine = await self.venue.load()
        rows = engine.read.income(ACCOUNT, start_ms=max(1, since_ms), limit=HISTORY_MAX)
        return [port_words.income_of(row) for row in rows]

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        """Set a symbol's leverage."""
        engine = await self._writable()
        with _words():
            _, events = engine.set_leverage(ACCOUNT, symbol, leverage, self.venue.axis.now_ms())
        self.venue.told(events, is_write=True)

    async def set_margin_type(self, symbol: str, margin_type: str) -> None:
        """Set `ISOLATED` or `CROSSED`; setting the present one is no error."""
        engine, wanted = await self._writable(), MarginType(margin_type.upper())
        if engine.read.position(ACCOUNT, symbol).margin_type is not wanted:
            with _words():
                events = engine.set_margin_type(ACCOUNT, symbol, wanted, self.venue.axis.now_ms())
            self.venue.told(events, is_write=True)

    async def set_countdown(self, symbol: str, countdown_ms: int) -> None:
        """Have every order of the symbol cancelled unless this is set again in time; it runs while the gateway does."""
        engine = await self._writable()
        with _words():
            events = engine.set_countdown(ACCOUNT, symbol, countdown_ms, self.venue.axis.now_ms())
        self.venue.told(events, is_write=True)

    def private_events(self) -> AsyncGenerator[PrivateEvent, None]:
        """Yield what happens to the account; down while the public streams cannot tell what would have filled."""
        return self.venue.events()

    async def measure_clock(self) -> int:
        """Return the offset as the market's own stamps show it."""
        return self.clock_offset_ms()

    def clock_offset_ms(self) -> int:
        """Return the venue's time, as its messages tell it, minus ours; 0 before the first."""
        venue_ms = self.venue.axis.now_ms()
        return venue_ms - self._now_ms() if venue_ms else 0

    def ages(self) -> dict[str, float]:
        """Return the ages of the public streams that this account lives by."""
        return {f"paper {name}": age_s for name, age_s in self.venue.market.ages().items()}

    async def close(self) -> None:
        """Stop listening and let go of the account's file. Open orders stay in it."""
        await self.venue.close()

    async def _writable(self) -> MatchingEngine:
        engine = await self.venue.load()
        self._fence()
        return engine

    def _place(self, request: OrderRequest, at_ms: int) -> OrderReport:
        engine = self.venue.engine
        placed = engine.submit(ACCOUNT, port_words.order_of(request, engine.read.instrument(request.symbol)), at_ms)
        self.venue.told(placed.events, is_write=True)
        return port_words.report_of(placed.accepted)

    def _send(self, order: str, about: str, act: Callable[[int], A]) -> Awaitable[A]:
        try:
            self._fence()
        except VenueError as failure:
            return _failed(failure)
        return self.venue.send(about, order, act)


@contextmanager
def _words() -> Iterator[None]:
    """Turn the engine's refusal into the port's."""
    try:
        yield
    except Refused as refused:
        raise port_words.error_of(refused) from None


async def _failed(failure: VenueError) -> Any:
    raise failure


def _nothing() -> None:
    pass
