"""The paper account between two lives: what each step of the engine changed is written before anybody hears of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from exchanges.paper.rows import Row, record_of, row_of
from exchanges.paper.store import Key, PaperStore
from exchanges.sim.account import Account, Holding
from exchanges.sim.algo_state import AlgoOrder
from exchanges.sim.engine import MatchingEngine
from exchanges.sim.order_state import Order
from exchanges.sim.orders import Fill
from exchanges.sim.settings import AccountSpec
from exchanges.sim.venue_events import AlgoEvent, OrderEvent, VenueEvent
from exchanges.sim.views import Income

ACCOUNT = "paper"
DIGITS = 20


class Memory:
    """Keeps one account of an engine in a store. `history_max`: ended orders, fills and ledger rows that are kept."""

    def __init__(self, store: PaperStore, spec: AccountSpec, history_max: int) -> None:
        self._store = store
        self._spec = spec
        self._history_max = history_max
        self._rows = store.read()
        self._written = {"fill": 0, "income": 0}
        """How many were written ever: the number of the next one."""
        self._oldest = {"fill": 0, "income": 0}
        self._ended: deque[str] = deque()
        self._last_row = 0

    @property
    def is_new(self) -> bool:
        """Whether no account was kept yet."""
        return (ACCOUNT, ACCOUNT) not in self._rows

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols that the kept account has to do with."""
        return tuple(name for kind, name in self._rows if kind == "market")

    def revive(self, engine: MatchingEngine) -> None:
        """Let the engine go on with the kept account; it has to know its symbols."""
        head = self._rows[ACCOUNT, ACCOUNT]
        account = Account(self._spec, self._history_max)
        account.wallet = dict(head["wallet"])
        account.countdowns = dict(head["countdowns"])
        account.updated_ms = head["updated_ms"]
        self._written = dict(head["written"])
        self._oldest = {kind: self._written[kind] - len(self._of(kind)) for kind in self._written}
        for row in self._of("holding"):
            account.holdings[row["symbol"]] = record_of(Holding, row)
        for row in self._of("market"):
            engine.recall(row["symbol"], row)
        for row in self._of("order"):
            self._revive_order(account, engine, row)
        account.fills.extend(record_of(Fill, row) for row in self._of("fill"))
        account.income.extend(record_of(Income, row) for row in self._of("income"))
        for row in self._of("algo"):
            algo = record_of(AlgoOrder, row)
            account.algos[algo.algo_id] = algo
        self._last_row = account.income[-1].tran_id if account.income else 0
        engine.revive(account, head["counters"])
        self._rows = {}

    def keep(self, engine: MatchingEngine, events: Sequence[VenueEvent]) -> None:
        """Write what a step has changed, in one commit."""
        account, counters = engine.remembered(ACCOUNT)
        rows = [*self._changed(account, events)]
        gone = self._forgotten()
        head = {
            "wallet": account.wallet,
            "countdowns": account.countdowns,
            "updated_ms": account.updated_ms,
            "counters": counters,
            "written": self._written,
        }
        rows.append(((ACCOUNT, ACCOUNT), head))
        for symbol, held in account.holdings.items():
            rows.append((("holding", symbol), row_of(held, without=("orders",))))
            rows.append((("market", symbol), {"symbol": symbol, **engine.recollection(symbol)}))
        self._store.keep(rows, gone)

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def _changed(self, account: Account, events: Iterable[VenueEvent]) -> Iterator[tuple[Key, Row]]:
        for event in events:
            if isinstance(event, OrderEvent):
                yield from self._order_row(account, event)
            elif isinstance(event, AlgoEvent):
                yield ("algo", _number(event.algo.algo_id)), row_of(account.algos[event.algo.algo_id])
        fresh = [*takewhile(lambda row: row.tran_id > self._last_row, reversed(account.income))]
        for row in reversed(fresh):
            yield self._next("income"), row_of(row)
            self._last_row = row.tran_id

    def _next(self, kind: str) -> Key:
        number = self._written[kind]
        self._written[kind] = number + 1
        return kind, _number(number)

    def _order_row(self, account: Account, event: OrderEvent) -> Iterator[tuple[Key, Row]]:
        name = _number(event.order.order_id)
        order = account.orders.get(event.order.order_id)
        if order is not None:
            told = row_of(order, without=("instrument", "is_resting", "account"))
            yield ("order", name), {"symbol": order.symbol, **told}
        if event.fill is not None:
            yield self._next("fill"), row_of(event.fill)
        if not event.order.status.is_open:
            self._ended.append(name)

    def _forgotten(self) -> list[Key]:
        """Return what is older than the history that is kept."""
        gone: list[Key] = []
        while len(self._ended) > self._history_max:
            gone.append(("order", self._ended.popleft()))
        for kind, count in self._written.items():
            while count - self._oldest[kind] > self._history_max:
                gone.append((kind, _number(self._oldest[kind])))
                self._oldest[kind] += 1
        return gone

    def _revive_order(self, account: Account, engine: MatchingEngine, row: Row) -> None:
        instrument = engine.read.instrument(row.pop("symbol"))
        order = record_of(Order, row, instrument=instrument, account=ACCOUNT)
        account.remember(order)
        if order.status.is_open:
            account.holding(order.symbol).orders[order.order_id] = order
        else:
            self._ended.append(_number(order.order_id))

    def _of(self, kind: str) -> list[Row]:
        return [row for (found, _), row in self._rows.items() if found == kind]


def _number(number: int) -> str:
    return f"{number:0{DIGITS}d}"
