"""One symbol as the venue sees it: the others' book, last and mark price, candles, and our resting orders."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal

from exchanges.sim.instrument import MONEY_SCALE, SimInstrument
from exchanges.sim.klines import KlineStore
from exchanges.sim.market import BookTop
from exchanges.sim.money import units_of
from exchanges.sim.resting import NO_ASK, NO_BID, RestingSide
from exchanges.sim.settings import EngineConfig
from exchanges.sim.venue_events import PrintEvent, PublishedBook
from exchanges.sim.views import FundingRow
from grid.order import Side

PRINTS_MAX = 1000
FUNDING_ROWS_MAX = 1000


class SymbolMarket:
    """State of one symbol. `mark` and `index` are 1e-8 of quote currency for one whole base unit; 0 until known.

    `bid` and `ask` are the others' best prices, 0 where the side is empty or unknown.
    """

    def __init__(self, instrument: SimInstrument, config: EngineConfig) -> None:
        self.instrument = instrument
        self.config = config
        self.bid = 0
        self.bid_quantity = 0
        self.ask = 0
        self.ask_quantity = 0
        self.has_quotes = False
        self.last = 0
        self.has_traded = False
        self.mark = 0
        self.index = 0
        self.has_marks = False
        self.mark_due_ms = 0
        self.funding_rate = config.funding_rate
        self.funding_due_ms = 0
        self.bids = RestingSide(Side.BUY)
        self.asks = RestingSide(Side.SELL)
        self.klines = KlineStore(instrument, config.kline_history_max)
        self.prints: deque[PrintEvent] = deque(maxlen=PRINTS_MAX)
        self.funding_rows: deque[FundingRow] = deque(maxlen=FUNDING_ROWS_MAX)
        self.trade_id = 0
        self.update_id = 0
        self.published: tuple[int, int, int, int] = (0, 0, 0, 0)
        self._taken = {Side.BUY: 0, Side.SELL: 0}
        self._taken_ms = {Side.BUY: 0, Side.SELL: 0}
        self._step_units = units_of(instrument.step)
        self.tick_units = units_of(instrument.tick)

    def resting(self, side: Side) -> RestingSide:
        """Return our resting orders of a side."""
        return self.bids if side is Side.BUY else self.asks

    def at_mark(self, steps: int) -> int:
        """Return the notional of so many signed steps at the mark price, in 1e-8; 0 while there is no mark."""
        value = self.mark * abs(steps) * self._step_units // MONEY_SCALE
        return value if steps >= 0 else -value

    def mark_price(self) -> Decimal:
        """Return the mark price in quote currency."""
        return Decimal(self.mark).scaleb(-8)

    def next_trade_id(self) -> int:
        """Return a trade id never given before on this symbol."""
        self.trade_id += 1
        return self.trade_id

    def set_top(self, top: BookTop) -> None:
        """Take over the others' best prices; what we took there is back once the price moved."""
        if top.bid != self.bid:
            self._taken[Side.BUY] = 0
        if top.ask != self.ask:
            self._taken[Side.SELL] = 0
        self.bid, self.bid_quantity = top.bid, top.bid_quantity
        self.ask, self.ask_quantity = top.ask, top.ask_quantity
        self.has_quotes = True

    def guess_top(self, price: int, aggressor: Side) -> None:
        """Without quotes on the tape: a book one tick wide at the last trade, on the side that was hit."""
        size = self.size_guess(price)
        bid = price if aggressor is Side.SELL else price - 1
        if bid != self.bid:
            self._taken = {Side.BUY: 0, Side.SELL: 0}
        self.bid, self.ask = bid, bid + 1
        self.bid_quantity = self.ask_quantity = size

    def size_guess(self, price: int) -> int:
        """Return the size a best price is taken to hold where the tape shows none."""
        notional = self.config.depth.size_without_quotes
        return max(1, int(notional / (self.instrument.price(price) * self.instrument.step)))

    def median_mark(self) -> int:
        """Return median(bid, ask, last) in 1e-8; 0 while nothing is known."""
        known = sorted(price for price in (self.bid, self.ask, self.last) if price)
        if not known:
            return 0
        if len(known) == 2:
            return (known[0] + known[1]) * self.tick_units // 2
        return known[len(known) // 2] * self.tick_units

    def shown_at(self, side: Side, price: int) -> int | None:
        """Return what the others show at a price on a side: 0 inside the spread, None where the tape does not tell."""
        best, quantity = (self.bid, self.bid_quantity) if side is Side.BUY else (self.ask, self.ask_quantity)
        if not best or not self.has_quotes:
            return None
        if price == best:
            return quantity
        is_better = price > best if side is Side.BUY else price < best
        return 0 if is_better else None

    def top_quantity(self, side: Side) -> int:
        """Return the others' size at the best price of a side."""
        return self.bid_quantity if side is Side.BUY else self.ask_quantity

    def ladder(self, side: Side, now_ms: int) -> Iterator[tuple[int, int]]:
        """Yield (price, steps) of the others' orders on a side, best first, less what we took: see `DepthModel`."""
        depth = self.config.depth
        price, quantity = (self.bid, self.bid_quantity) if side is Side.BUY else (self.ask, self.ask_quantity)
        if not price or not quantity:
            return
        if now_ms - self._taken_ms[side] >= depth.refill_ms:
            self._taken[side] = 0
        taken = self._taken[side]
        away = -depth.spacing_ticks if side is Side.BUY else depth.spacing_ticks
        for _ in range(depth.levels):
            if price <= 0:
                return
            if taken < quantity:
                yield price, quantity - taken
                taken = 0
            else:
                taken -= quantity
            price += away
            quantity = quantity * depth.growth_percent // 100

    def take(self, side: Side, quantity: int, now_ms: int) -> None:
        """Note that we took so much of the others' orders on a side."""
        self._taken[side] += quantity
        self._taken_ms[side] = now_ms

    def opposing_best(self, side: Side, now_ms: int) -> int:
        """Return the best price an order of `side` could meet: the others' or ours; `NO_BID`/`NO_ASK` if none."""
        others = next(self.ladder(side.other, now_ms), None)
        if side is Side.BUY:
            return min(others[0] if others else NO_ASK, self.asks.best)
        return max(others[0] if others else NO_BID, self.bids.best)

    def published_top(self) -> tuple[int, int, int, int]:
        """Return bid, its size, ask, its size, with our orders in them and never crossed.

        Where the tape's quote of one side stands at or beyond an order of ours that has not filled, the quote is shown
        one tick behind that order: had our order been there, the quote could not have been.
        """
        bid, bid_quantity, ask, ask_quantity = self.bid, self.bid_quantity, self.ask, self.ask_quantity
        if self.bids.best != NO_BID:
            if ask and ask <= self.bids.best:
                ask = self.bids.best + 1
            if self.bids.best >= bid:
                own = self.bids.quantity_at(self.bids.best)
                bid, bid_quantity = self.bids.best, own + (bid_quantity if bid == self.bids.best else 0)
        if self.asks.best != NO_ASK:
            if bid and bid >= self.asks.best:
                bid = self.asks.best - 1
            if not ask or self.asks.best <= ask:
                own = self.asks.quantity_at(self.asks.best)
                ask, ask_quantity = self.asks.best, own + (ask_quantity if ask == self.asks.best else 0)
        return bid, bid_quantity, ask, ask_quantity

    def book(self, time_ms: int) -> PublishedBook:
        """Return the published best prices."""
        bid, bid_quantity, ask, ask_quantity = self.published_top()
        return PublishedBook(
            symbol=self.instrument.symbol,
            time_ms=time_ms,
            update_id=self.update_id,
            bid=bid,
            bid_quantity=bid_quantity,
            ask=ask,
            ask_quantity=ask_quantity,
        )
