"""How a candle is met when only its four prices are known: the pessimistic reading."""

from __future__ import annotations

from exchanges.sim.clearing import Clearing
from exchanges.sim.market import BookTop, Candle
from exchanges.sim.matcher import Matcher
from exchanges.sim.state import VenueState
from exchanges.sim.symbol_market import SymbolMarket
from grid.order import Side


class CandleFills:
    """Meets a closed candle as one event, since the path inside it is unknown.

    Only orders that rested when the candle opened can fill in it: never an order and the exit placed upon its fill. A
    buy fills when the low lies strictly below it, a sell when the high lies strictly above; touching is not enough. The
    candle's volume bounds what all of them get together. The side that hurts comes first: the low, unless the accounts
    are short in sum, and margin is judged at that extreme before the other one brings relief, then at the close.
    """

    def __init__(self, state: VenueState, matcher: Matcher, clearing: Clearing) -> None:
        self._state = state
        self._matcher = matcher
        self._clearing = clearing

    def remember(self, market: SymbolMarket, candle: Candle) -> None:
        """Add a candle of the time before to the store; its close is the last price until a newer one is known."""
        market.klines.on_candle(candle)
        if not market.has_traded:
            market.last = candle.close

    def on_candle(self, market: SymbolMarket, candle: Candle) -> None:
        """Let one candle pass."""
        market.klines.on_candle(candle)
        market.last, market.has_traded = candle.close, True
        held = sum(holding.quantity for _, holding in self._state.holders(market.instrument.symbol))
        left = candle.volume
        for side in (Side.BUY, Side.SELL) if held >= 0 else (Side.SELL, Side.BUY):
            extreme = candle.low if side is Side.BUY else candle.high
            for order in market.resting(side).better_than(extreme):
                if left and order.arrived_ms <= candle.open_ms:
                    left -= self._matcher.fill_resting(market, order, min(left, order.left), candle.time_ms)
            self._judge_at(market, extreme)
        self._quote_close(market, candle)
        self._judge_at(market, candle.close)

    def _judge_at(self, market: SymbolMarket, price: int) -> None:
        if market.has_marks:
            return
        market.mark = market.index = price * market.tick_units
        market.mark_due_ms = self._state.now_ms + self._state.config.mark_every_ms
        self._clearing.watch(market)

    def _quote_close(self, market: SymbolMarket, candle: Candle) -> None:
        """Without quotes on the tape: a book one tick wide around the close."""
        if market.has_quotes:
            return
        size = market.size_guess(candle.close)
        market.set_top(
            BookTop(
                symbol=candle.symbol,
                time_ms=candle.time_ms,
                bid=candle.close,
                bid_quantity=size,
                ask=candle.close + 1,
                ask_quantity=size,
            )
        )
        market.has_quotes = False
