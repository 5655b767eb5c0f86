"""A grid that begins with a position, under any order of answers, losses and restarts: no level is bought twice."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from exchanges.desk.events import MarkSeen, ReferenceSeen
from grid.book import Book
from grid.kind_records import OpeningSet
from grid.opening import OpeningRule
from grid.order import Purpose
from tests.property.test_order_desk import DeskMachine
from tests.simulation.worlds import SYMBOL
from tests.unit.order_desk_world import DeskWorld

RULE = OpeningRule(levels=4, slippage=Decimal("0.001"))
BID = 299_900


class OpeningMachine(DeskMachine):
    """The desk's machine, whose market offers one step at a time over the bid."""

    def first_desk(self) -> DeskWorld:
        """Return a desk whose journal says that a position is to be opened."""
        made = DeskWorld()
        wanted = OpeningSet(symbol=SYMBOL, generation=0, is_planned=False, levels=(), limit=0, at_ms=0)
        records = [*made.records, wanted]
        book = Book()
        book.replay(records)
        desk = DeskWorld(book, now_ms=made.now_ms, opening=RULE)
        desk.records[:0] = records
        return desk.ready()

    def next_desk(self, book: Book, now_ms: int) -> DeskWorld:
        """Return the desk of the next life."""
        return DeskWorld(book, now_ms=now_ms, opening=RULE)

    @rule(ms=st.sampled_from((200, 1_000, 4_000)))
    def the_price_is_seen(self, ms: int) -> None:
        """Feed and marks say where the market is; some time passes."""
        self.desk.tell(ReferenceSeen(symbol=SYMBOL, reference=BID, is_fresh=True))
        self.desk.tell(MarkSeen(symbol=SYMBOL, price=Decimal(BID) / 100))
        self.time_passes(ms)

    @rule(is_reply_lost=st.booleans())
    def it_is_bought(self, is_reply_lost: bool) -> None:
        """The price is seen, and all that this wants is sent and taken; replies may be lost."""
        self.the_price_is_seen(200)
        while self.unsent:
            self.send(0)
        while self.placing:
            self.arrive(0, is_reply_lost)

    @invariant()
    def no_level_is_opened_twice(self) -> None:
        """Of the orders that open a level, one alone is ever filled; what is bought is not wanted any more."""
        book = self.desk.desk.book
        filled: defaultdict[int, set[str]] = defaultdict(set)
        for fill in self.venue.fills():
            client_id = book.client_id_of(SYMBOL, fill.order_id)
            order = book.orders.get(client_id)
            if order is not None and order.purpose is Purpose.OPEN and order.key is not None:
                filled[order.key.level].add(client_id)
                assert order.price <= min(300_000 + 200 * order.key.level, int(BID * 1.001))
        assert all(len(orders) == 1 for orders in filled.values()), filled
        opening = book.symbol(SYMBOL).opening
        booked = {o.key.level for o in book.orders.values() if o.purpose is Purpose.OPEN and o.booked and o.key}
        assert opening is not None
        assert not booked & set(opening.levels)


TestOpening = OpeningMachine.TestCase
TestOpening.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
