"""The others' trades and quotes of each symbol, as a schedule wants them."""

from __future__ import annotations

from actors.virtual.world import World
from exchanges.sim.market import BookTop, Trade
from grid.order import Side
from tests.simulation.schedule import Move
from tests.simulation.traits import FIRST_BIDS


class Market:
    """Moves the venue's markets. `is_still`: whatever is asked, the price stays where it is."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.symbols = tuple(grid.symbol for grid in world.settings.grids)
        self.bids = {symbol: FIRST_BIDS[symbol] for symbol in self.symbols}
        self.is_still = False

    def open(self) -> None:
        """Show the first prices."""
        for symbol, bid in self.bids.items():
            self.show(Move(at_ms=0, bid=bid, quantity=1, shown=5, symbol=symbol))

    def move(self, move: Move) -> None:
        """Print a trade on the way to the new price, and show it."""
        if self.is_still:
            return
        bid = self.bids[move.symbol]
        falls = move.bid < bid or (move.bid == bid and move.quantity % 2 == 0)
        price = move.bid if falls else move.bid + 1
        self.print(move.symbol, price, move.quantity, Side.SELL if falls else Side.BUY)
        self.show(move)

    def show(self, move: Move) -> None:
        """Show the best prices, one tick apart."""
        self.bids[move.symbol] = move.bid
        self.show_top(move.symbol, move.bid, move.shown)

    def show_top(self, symbol: str, bid: int, shown: int) -> None:
        """Show a best bid and the ask one tick over it, without a move of the market's own mind."""
        self._world.venue.on_market(
            BookTop(
                symbol=symbol,
                time_ms=self._world.agenda.wall_ms,
                bid=bid,
                bid_quantity=shown,
                ask=bid + 1,
                ask_quantity=shown,
            )
        )

    def print(self, symbol: str, price: int, quantity: int, aggressor: Side) -> None:
        """Print one trade."""
        self._world.venue.on_market(
            Trade(
                symbol=symbol,
                time_ms=self._world.agenda.wall_ms,
                price=price,
                quantity=quantity,
                aggressor=aggressor,
            )
        )

    def take(self, symbol: str, price: int, side: Side, quantity: int) -> None:
        """Take so much of what rests on a side at a price."""
        bid = price if side is Side.BUY else price - 1
        self.show_top(symbol, bid, 1)
        self.bids[symbol] = bid
        self.print(symbol, price, quantity, side.other)

    def settle(self, quiet_ms: int, every_ms: int) -> None:
        """Leave nothing of ours beyond the market unfilled; then quote the same prices again and again."""
        agenda = self._world.agenda
        for symbol, bid in self.bids.items():
            for side in Side:
                self.print(symbol, bid if side is Side.SELL else bid + 1, 10_000_000, side)
            for number in range(quiet_ms // every_ms):
                quiet = Move(at_ms=0, bid=bid, quantity=0, shown=5 + number % 2, symbol=symbol)
                agenda.after(number * every_ms, "market", quiet, lambda quiet=quiet: self.show(quiet))  # type: ignore[misc]
