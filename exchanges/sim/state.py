"""Everything the venue knows, and the list of what it has to tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random

from exchanges.sim.account import Account, Holding
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.settings import EngineConfig
from exchanges.sim.symbol_market import SymbolMarket
from exchanges.sim.venue_events import BookEvent, VenueEvent

FIRST_ORDER_ID = 8_389_765_000_000_000_000
"""Order ids have 19 digits, as the venue's have: past what a double holds exactly."""


class VenueState:
    """Markets, accounts, clock and counters, shared by the engine's parts. Only the engine's parts change it."""

    def __init__(self, instruments: Iterable[SimInstrument], rng: Random, config: EngineConfig, start_ms: int) -> None:
        self.config = config
        self.rng = rng
        self.now_ms = start_ms
        self.markets = {instrument.symbol: SymbolMarket(instrument, config) for instrument in instruments}
        self.accounts: dict[str, Account] = {}
        self._pending: list[VenueEvent] = []
        self._order_id = FIRST_ORDER_ID + rng.randrange(10**9)
        self._algo_id = 2_000_000_000 + rng.randrange(10**6)
        self._tran_id = 9_000_000_000 + rng.randrange(10**6)

    def market(self, symbol: str) -> SymbolMarket:
        """Return a symbol's market; raises `Refused` -1121 where there is none."""
        found = self.markets.get(symbol)
        if found is None:
            raise Refused(Reason.SYMBOL_UNKNOWN)
        return found

    def account(self, name: str) -> Account:
        """Return an account; an unknown name is the caller's mistake (`KeyError`)."""
        return self.accounts[name]

    def holders(self, symbol: str) -> list[tuple[Account, Holding]]:
        """Return the accounts with a position on a symbol."""
        found = []
        for account in self.accounts.values():
            holding = account.holdings.get(symbol)
            if holding is not None and holding.quantity:
                found.append((account, holding))
        return found

    def emit(self, event: VenueEvent) -> None:
        """Add something to tell."""
        self._pending.append(event)

    def drain(self) -> list[VenueEvent]:
        """Return everything to tell, in order, and forget it."""
        told, self._pending = self._pending, []
        return told

    def publish_book(self, market: SymbolMarket) -> None:
        """Tell the published best prices where they changed."""
        if not self.config.publish:
            return
        top = market.published_top()
        if top != market.published:
            market.published = top
            market.update_id += 1
            self.emit(BookEvent(time_ms=self.now_ms, book=market.book(self.now_ms)))

    def counters(self) -> dict[str, int]:
        """Return what has to go on where it stood, or an id would be given twice."""
        return {"now_ms": self.now_ms, "order_id": self._order_id, "algo_id": self._algo_id, "tran_id": self._tran_id}

    def resume(self, counters: Mapping[str, int]) -> None:
        """Go on from the counters of an earlier life."""
        self.now_ms = max(self.now_ms, counters["now_ms"])
        self._order_id, self._algo_id = counters["order_id"], counters["algo_id"]
        self._tran_id = counters["tran_id"]

    def next_order_id(self) -> int:
        """Return a fresh order id, higher than all before."""
        self._order_id += 1 + self.rng.randrange(1000)
        return self._order_id

    def next_algo_id(self) -> int:
        """Return a fresh id of a conditional order."""
        self._algo_id += 1
        return self._algo_id

    def next_tran_id(self) -> int:
        """Return a fresh ledger row id."""
        self._tran_id += 1
        return self._tran_id

    def venue_client_id(self) -> str:
        """Return a client id of the venue's own making, for orders sent without one."""
        return "".join(self.rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789", k=22))
