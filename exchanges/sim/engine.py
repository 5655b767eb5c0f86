"""The matching engine of the simulated venue: one synchronous state machine, told the time with every call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from random import Random

from exchanges.sim.account import Account
from exchanges.sim.account_settings import AccountSettings
from exchanges.sim.algo_desk import AlgoDesk
from exchanges.sim.algo_orders import AlgoView, NewAlgoOrder
from exchanges.sim.booking import Booking
from exchanges.sim.candle_fills import CandleFills
from exchanges.sim.clearing import Clearing
from exchanges.sim.foreign import ForeignActor
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import BookTop, Candle, Funding, Mark, MarketEvent, Trade
from exchanges.sim.matcher import Matcher
from exchanges.sim.money import decimal_of, units_of
from exchanges.sim.order_entry import OrderEntry
from exchanges.sim.orders import ExpiryReason, NewOrder, OrderStatus, WorkingType
from exchanges.sim.reader import Reader
from exchanges.sim.settings import AccountSpec, EngineConfig
from exchanges.sim.state import VenueState
from exchanges.sim.symbol_market import SymbolMarket
from exchanges.sim.venue_events import AccountReason, Placed, VenueEvent
from exchanges.sim.views import MarginType, PositionView
from grid.order import Side

NEVER_MS = 1 << 62


class MatchingEngine:
    """Orders, fills, margin, funding and liquidation of any number of accounts on any number of symbols.

    When an order fills:

    * On arrival it takes what stands at its price or better, price by price, each at that price: the others' size
      shown by the tape, then the levels of `DepthModel` behind it; our orders of other accounts come after the others
      at the same price. What is left of LIMIT rests, of IOC and MARKET expires, FOK and GTX were refused before.
    * A resting buy at L fills whole at L when a trade prints below L. A trade at L by a seller fills only what exceeds
      the queue ahead: the size shown at L when the order arrived (nothing inside the spread; away from the best price,
      where a tape shows nothing, as much as the best price held, put right when L is first shown), reduced by trades
      at L and, in the optimistic model only, by others' cancels. Sells mirror this.
    * Traded quantity is used once over all our orders: best price first, then order of arrival. A print beyond L is
      proof that L was swept, so there the order fills whole even if the print was smaller (`ThroughFill` can cap it).
    * Never better than L, never before it arrived: an order meets only events that come after it, also within the
      same millisecond, and no event stamped before its arrival even if fed later. Amending price or quantity is a new
      arrival.
    * A reduce-only order never fills beyond the position, and expires (`ExpiryReason.REDUCE_ONLY`) when the position no
      longer holds all of them; the worst priced go first.
    * A `Candle` is met by the pessimistic reading of `CandleFills`; `bounds` gives the optimistic one.

    Latency is the driver's: `now_ms` of a call is when it reaches the matcher. Each call returns what it caused, in the
    venue's order. A `Refused` call changed nothing; what time passing before it caused comes with the next call.
    """

    def __init__(
        self,
        instruments: Iterable[SimInstrument],
        *,
        rng: Random,
        config: EngineConfig | None = None,
        start_ms: int = 0,
    ) -> None:
        self.config = config or EngineConfig()
        self._state = VenueState(instruments, rng, self.config, start_ms)
        self._booking = Booking(self._state)
        self._matcher = Matcher(self._state, self._booking)
        self._entry = OrderEntry(self._state, self._booking, self._matcher)
        self._clearing = Clearing(self._state, self._booking, self._matcher, self._entry)
        self._algos = AlgoDesk(self._state, self._entry)
        self._candles = CandleFills(self._state, self._matcher, self._clearing)
        self._settings = AccountSettings(self._state)
        self._due_ms = self._next_due()
        self.read = Reader(self._state)
        """Every query; nothing in it changes the state."""
        self.foreign = ForeignActor(self._state, self._booking, self._entry, self._clearing, self._algos)
        """Hands other than the client's: manual orders, liquidation, ADL, delisting."""

    def open_account(self, spec: AccountSpec, now_ms: int) -> list[VenueEvent]:
        """Open an account with a deposit (an income row TRANSFER)."""
        if spec.account in self._state.accounts:
            raise ValueError(f"account {spec.account} is open already")
        self._state.accounts[spec.account] = Account(spec, self.config.history_max)
        events = self.transfer(spec.account, spec.deposit, now_ms, spec.asset)
        if spec.bnb_deposit:
            events += self.transfer(spec.account, spec.bnb_deposit, now_ms, "BNB")
        return events

    def list_symbol(self, instrument: SimInstrument) -> None:
        """Take up a symbol; one that is known stays as it is."""
        if instrument.symbol not in self._state.markets:
            self._state.markets[instrument.symbol] = SymbolMarket(instrument, self.config)

    def remembered(self, name: str) -> tuple[Account, dict[str, int]]:
        """Return an account as it lives, to be looked at only, and the counters that go with it."""
        return self._state.account(name), self._state.counters()

    def recollection(self, symbol: str) -> dict[str, int]:
        """Return what of a symbol's market an account needs in a later life, before the market speaks again."""
        market = self._state.market(symbol)
        due = {"funding_rate": units_of(market.funding_rate), "funding_due_ms": market.funding_due_ms}
        return {"trade_id": market.trade_id, "mark": market.mark, "last": market.last, **due}

    def recall(self, symbol: str, recollection: Mapping[str, int]) -> None:
        """Take over a recollection of an earlier life."""
        market = self._state.market(symbol)
        market.trade_id, market.mark = recollection["trade_id"], recollection["mark"]
        market.last = recollection["last"]
        if at_ms := recollection.get("funding_due_ms", 0):
            market.funding_rate, market.funding_due_ms = decimal_of(recollection["funding_rate"]), at_ms

    def revive(self, account: Account, counters: Mapping[str, int]) -> None:
        """Go on with an account of an earlier life: its open orders rest again, in the order they came."""
        state = self._state
        state.resume(counters)
        state.accounts[account.name] = account
        for holding in account.holdings.values():
            for order in holding.orders.values():
                self._booking.rest(order, state.market(order.symbol))
        for algo in account.algos.values():
            self._algos.revive(algo)
        self._due_ms = self._next_due()

    def on_market(self, event: MarketEvent) -> list[VenueEvent]:
        """Let the market move; returns what it caused, in order. Time comes up to the event's first."""
        state = self._state
        market = state.market(event.symbol)
        if isinstance(event, Candle) and event.history:
            self._candles.remember(market, event)
            return state.drain()
        if event.time_ms > state.now_ms:
            self._pass_time(event.time_ms)
        if isinstance(event, Trade):
            self._matcher.on_trade(market, event)
            self._algos.on_price(market, WorkingType.CONTRACT_PRICE)
        elif isinstance(event, BookTop):
            self._matcher.on_book(market, event)
        elif isinstance(event, Candle):
            self._candles.on_candle(market, event)
            self._algos.on_price(market, WorkingType.CONTRACT_PRICE)
        elif isinstance(event, Mark):
            self._clearing.on_mark(market, event)
            self._algos.on_price(market, WorkingType.MARK_PRICE)
        elif isinstance(event, Funding):
            self._clearing.on_funding(market, event)
        if self._clearing.follow_market(market):
            self._algos.on_price(market, WorkingType.MARK_PRICE)
        if self.config.publish:
            state.publish_book(market)
        return state.drain()

    def schedule_funding(self, funding: Funding, now_ms: int) -> list[VenueEvent]:
        """Settle funding at its time and by its rate, once; what was scheduled for the symbol before is replaced."""
        self._pass_time(now_ms)
        market = self._state.market(funding.symbol)
        market.funding_rate, market.funding_due_ms = funding.rate, funding.time_ms
        self._due_ms = self._next_due()
        return self._state.drain()

    def advance(self, now_ms: int) -> list[VenueEvent]:
        """Let time pass: countdown cancels, ends of GTD orders, scheduled funding."""
        self._pass_time(now_ms)
        return self._state.drain()

    def submit(self, account: str, order: NewOrder, now_ms: int) -> Placed:
        """Place an order that arrives at the matcher at `now_ms`. Raises `Refused`; then nothing happened."""
        self._pass_time(now_ms)
        accepted, placed = self._entry.place(self._state.account(account), order)
        if order.good_till_ms:
            self._due_ms = self._next_due()
        return Placed(order=self._entry.view(placed), accepted=accepted, events=tuple(self._state.drain()))

    def check(self, account: str, order: NewOrder, now_ms: int) -> None:
        """Judge an order as `submit` would, without placing it."""
        self._pass_time(now_ms)
        self._entry.judge(self._state.account(account), order)

    def cancel(self, account: str, symbol: str, now_ms: int, *, order_id: int = 0, client_id: str = "") -> Placed:
        """Cancel one open order; `order_id` counts where both are given. Raises `Refused` -2011."""
        self._pass_time(now_ms)
        view = self._entry.view(self._entry.cancel(self._state.account(account), symbol, order_id, client_id))
        return Placed(order=view, accepted=view, events=tuple(self._state.drain()))

    def cancel_all(self, account: str, symbol: str, now_ms: int) -> list[VenueEvent]:
        """Cancel every open order of the symbol, whoever of the account placed it. Algo orders stay."""
        self._pass_time(now_ms)
        self._entry.cancel_all(self._state.account(account), symbol)
        return self._state.drain()

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

        `quantity` is the whole quantity. At or under what is filled, or where a post-only order would take, the order
        is cancelled, as the venue does. Raises `Refused` (-2013, -5027, filters, margin); then it rests as before.
        """
        self._pass_time(now_ms)
        amended, order = self._entry.modify(
            self._state.account(account), symbol, order_id, client_id, side, quantity, price
        )
        return Placed(order=self._entry.view(order), accepted=amended, events=tuple(self._state.drain()))

    def set_leverage(
        self, account: str, symbol: str, leverage: int, now_ms: int
    ) -> tuple[PositionView, list[VenueEvent]]:
        """Change the leverage; `notional_max` of the result is the cap that goes with it."""
        self._pass_time(now_ms)
        self._settings.set_leverage(self._state.account(account), symbol, leverage)
        return self.read.position(account, symbol), self._state.drain()

    def set_margin_type(self, account: str, symbol: str, margin_type: MarginType, now_ms: int) -> list[VenueEvent]:
        """Change the margin type; refused with open orders, a position, or no change."""
        self._pass_time(now_ms)
        self._settings.set_margin_type(self._state.account(account), symbol, margin_type)
        return self._state.drain()

    def set_hedge_mode(self, account: str, hedge_mode: bool, now_ms: int) -> list[VenueEvent]:
        """Change the position mode; refused with open orders, a position, or no change. Orders need one-way mode."""
        self._pass_time(now_ms)
        self._settings.set_hedge_mode(self._state.account(account), hedge_mode)
        return self._state.drain()

    def set_countdown(self, account: str, symbol: str, countdown_ms: int, now_ms: int) -> list[VenueEvent]:
        """Cancel all open orders of the symbol at `now_ms + countdown_ms` unless set again; 0 stops it."""
        self._pass_time(now_ms)
        self._settings.set_countdown(self._state.account(account), symbol, countdown_ms)
        self._due_ms = self._next_due()
        return self._state.drain()

    def transfer(self, account: str, amount: Decimal, now_ms: int, asset: str = "USDT") -> list[VenueEvent]:
        """Move money in (positive) or out."""
        self._pass_time(now_ms)
        owner, units = self._state.account(account), units_of(amount)
        self._booking.row(owner, "TRANSFER", "", asset, units, self._state.now_ms)
        reason = AccountReason.DEPOSIT if units >= 0 else AccountReason.WITHDRAW
        self._booking.tell_account(owner, reason, self._state.now_ms, None, asset, units)
        return self._state.drain()

    def submit_algo(self, account: str, order: NewAlgoOrder, now_ms: int) -> tuple[AlgoView, list[VenueEvent]]:
        """Place a conditional order. Raises `Refused`; margin is judged only when it triggers."""
        self._pass_time(now_ms)
        algo = self._algos.submit(self._state.account(account), order)
        return algo.view(), self._state.drain()

    def cancel_algo(
        self, account: str, now_ms: int, *, algo_id: int = 0, client_id: str = ""
    ) -> tuple[AlgoView, list[VenueEvent]]:
        """Cancel one waiting conditional order. Raises `Refused` -2011."""
        self._pass_time(now_ms)
        algo = self._algos.cancel(self._state.account(account), algo_id, client_id)
        return algo.view(), self._state.drain()

    def cancel_all_algos(self, account: str, symbol: str, now_ms: int) -> list[VenueEvent]:
        """Cancel every waiting conditional order of the symbol."""
        self._pass_time(now_ms)
        self._algos.cancel_all(self._state.account(account), symbol)
        return self._state.drain()

    def _pass_time(self, now_ms: int) -> None:
        """Bring the clock to `now_ms`; it never goes back. What is due on the way happens at its own time."""
        state = self._state
        while self._due_ms <= now_ms:
            state.now_ms = max(state.now_ms, self._due_ms)
            self._run_due()
            self._due_ms = self._next_due()
        if now_ms > state.now_ms:
            state.now_ms = now_ms

    def _run_due(self) -> None:
        now_ms = self._state.now_ms
        for account in self._state.accounts.values():
            for symbol in [symbol for symbol, at in account.countdowns.items() if at <= now_ms]:
                del account.countdowns[symbol]
                self._entry.cancel_all(account, symbol)
            for holding in account.holdings.values():
                for order in [o for o in holding.orders.values() if 0 < o.good_till_ms <= now_ms]:
                    self._booking.close(order, OrderStatus.EXPIRED, ExpiryReason.GOOD_TILL, now_ms)
        every = self.config.funding_every_ms
        for market in self._state.markets.values():
            is_due = (every and now_ms % every == 0) or 0 < market.funding_due_ms <= now_ms
            if is_due and market.mark:
                due = Funding(symbol=market.instrument.symbol, time_ms=now_ms, rate=market.funding_rate)
                self._clearing.on_funding(market, due)
            if market.funding_due_ms <= now_ms:
                market.funding_due_ms = 0

    def _next_due(self) -> int:
        due = NEVER_MS
        for account in self._state.accounts.values():
            due = min([due, *account.countdowns.values()])
            for holding in account.holdings.values():
                due = min([due, *(order.good_till_ms for order in holding.orders.values() if order.good_till_ms)])
        due = min([due, *(market.funding_due_ms for market in self._state.markets.values() if market.funding_due_ms)])
        every = self.config.funding_every_ms
        if every:
            due = min(due, (self._state.now_ms // every + 1) * every)
        return due
