"""One order desk by hand: what it is asked, what the venue answers, and what it wants done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from exchanges.desk.commands import Command
from exchanges.desk.events import (
    Accepted,
    Asked,
    Event,
    GoSaid,
    Instant,
    MarkSeen,
    OpenOrdersRead,
    PlaceAnswered,
    PositionsRead,
    StreamSaid,
    StreamState,
    Ticked,
    TradesRead,
)
from exchanges.desk.settings import DeskSettings, DeskSymbol
from exchanges.order_desk import OrderDesk
from exchanges.port import Position
from grid.book import Book
from grid.intent import CancelIntent, PlaceIntent
from grid.kind_records import SideTurned
from grid.ladder import GridSide
from grid.opening import OpeningRule
from grid.order import Fill, OrderReport, OrderRequest, OrderStatus, OrderUpdate, Purpose, Side, TimeInForce
from grid.reasons import Reason
from grid.records import Record
from grid.slot import SlotKey, SlotState
from risk.lease import Go
from risk.stop_rule import StopRule
from tests.simulation.worlds import SYMBOL, example_plan

WALL_MS = 1_750_000_000_000
C = TypeVar("C")


class DeskWorld:
    """A desk over the grid of the specification's example. `said` is what it wants done, `records` what it wrote."""

    def __init__(
        self,
        book: Book | None = None,
        *,
        now_ms: int = 0,
        max_lots: int = 50,
        stop: StopRule | None = None,
        trigger: Decimal | None = None,
        opening: OpeningRule | None = None,
        neutral: bool = False,
    ) -> None:
        plan = example_plan(max_lots=max_lots)
        half = replace(plan.policy, lowest_level=-10, highest_level=-1)
        self.now_ms = now_ms
        self.said: list[Command] = []
        self.records: list[Record] = []
        symbols = {
            SYMBOL: DeskSymbol(
                policy=half if neutral else plan.policy,
                instrument=plan.instrument,
                stop=stop,
                trigger=trigger,
                opening=opening,
                sides=((0, half), (1, half)) if neutral else (),
            )
        }
        self.desk = OrderDesk(book or Book(), DeskSettings(journal="Sim1", notional_max=Decimal(5_000)), symbols)
        first: list[Record] = [] if book is not None else [plan.generation(0, 300_000)]
        if neutral and book is None:
            short = replace(plan.generation(1, 300_000), side=GridSide.SHORT)
            first += [short, SideTurned(symbol=SYMBOL, generation=0, at_ms=0, reason="the price is under it")]
        self._take(self.desk.begin(self.desk.book.owner_epoch + 1, first, self.now()))

    def now(self) -> Instant:
        return Instant(wall_ms=WALL_MS + self.now_ms, mono_ms=self.now_ms)

    def tell(self, event: Event) -> None:
        self._take(self.desk.handle(event, self.now()))

    def ready(self) -> DeskWorld:
        """Let stream, readings and supervisor be fine."""
        self.tell(StreamState(is_up=True))
        self.read()
        self.tell(GoSaid(go=Go(number=self.now_ms + 1, incarnation=1)))
        self.tell(MarkSeen(symbol=SYMBOL, price=Decimal(3000)))
        assert self.desk.is_ready
        return self

    def read(
        self, *, orders: Iterable[OrderReport] = (), fills: Iterable[Fill] = (), position: int | None = None
    ) -> None:
        """Answer one resynchronisation; the position is the book's unless told."""
        begun_ms = self.now_ms
        self.tell(OpenOrdersRead(begun_ms=begun_ms, reports=tuple(orders)))
        self.tell(TradesRead(symbol=SYMBOL, since_ms=0, begun_ms=begun_ms, fills=tuple(fills)))
        steps = self.desk.book.symbol(SYMBOL).expected_position() if position is None else position
        self.tell(PositionsRead(begun_ms=begun_ms, positions=(position_of(steps),)))

    def pass_ms(self, ms: int, *, step_ms: int = 100) -> None:
        for _ in range(ms // step_ms):
            self.now_ms += step_ms
            self.tell(Ticked())

    def slot(self, level: int) -> SlotState:
        return self.desk.book.symbol(SYMBOL).slot(key(level))

    def ask(self, level: int, *, purpose: Purpose = Purpose.ENTRY, price: int | None = None) -> str:
        """Ask for the level's order; return its client id, empty where it was refused."""
        slot = self.slot(level)
        quantity = 10 if purpose is Purpose.ENTRY else slot.lot.quantity if slot.lot is not None else 0
        at = price if price is not None else 300_000 + 200 * (level + (1 if purpose is Purpose.EXIT else 0))
        intent = PlaceIntent(
            key=key(level),
            basis_version=slot.version,
            purpose=purpose,
            price=at,
            quantity=quantity,
            target=300_000 + 200 * (level + 1),
            time_in_force=TimeInForce.POST_ONLY,
            reference=299_900,
            halt_epoch=self.desk.book.halt_epoch,
        )
        self.last_asked = Asked(intent=intent)
        self.tell(self.last_asked)
        order = self.slot(level).order
        return order.client_id if order is not None else ""

    def send(self, client_id: str) -> bool:
        approved, effects = self.desk.release(client_id, self.now())
        self._take(effects)
        return approved is not None

    def request(self, client_id: str) -> OrderRequest | None:
        """Return the order as it goes out, None where the fence keeps it."""
        approved, effects = self.desk.release(client_id, self.now())
        self._take(effects)
        return approved.request if approved is not None else None

    def cancel(self, level: int, client_id: str) -> None:
        """Ask for a cancel."""
        self.tell(Asked(intent=CancelIntent(key=key(level), client_id=client_id, reason=Reason.LEFT_WINDOW)))

    def renew_go(self) -> None:
        """Let the supervisor say go, and show a mark."""
        self.tell(GoSaid(go=Go(number=self.now_ms + 1, incarnation=1)))
        self.tell(MarkSeen(symbol=SYMBOL, price=Decimal(3000)))

    def live(self, level: int) -> str:
        """Place the level's entry and let it be acknowledged and echoed."""
        client_id = self.ask(level)
        assert self.send(client_id)
        self.tell(PlaceAnswered(client_id=client_id, outcome=Accepted(report=self.report(client_id))))
        self.tell(StreamSaid(update=OrderUpdate(report=self.report(client_id))))
        return client_id

    def bought(self, level: int, quantity: int = 10) -> str:
        """Let the level's entry be placed and filled."""
        client_id = self.live(level)
        self.tell(StreamSaid(update=self.filled(client_id, quantity)))
        return client_id

    def report(self, client_id: str, status: OrderStatus = OrderStatus.NEW, filled: int = 0) -> OrderReport:
        order = self.desk.book.orders[client_id]
        return OrderReport(
            symbol=SYMBOL,
            order_id=f"v{client_id}",
            client_id=client_id,
            side=order.side,
            status=status,
            price=order.price,
            quantity=order.quantity,
            filled=filled,
            closing=order.purpose.closing,
            venue_ms=WALL_MS + self.now_ms,
        )

    def filled(self, client_id: str, quantity: int, *, number: int = 1) -> OrderUpdate:
        order = self.desk.book.orders[client_id]
        whole = quantity >= order.quantity
        status = OrderStatus.FILLED if whole else OrderStatus.PARTIALLY_FILLED
        fill = fill_of(f"v{client_id}", order.side, order.price, quantity, number=number)
        return OrderUpdate(report=self.report(client_id, status, quantity), fill=replace(fill, client_id=client_id))

    def heard(self, kind: type[C]) -> list[C]:
        """Return what it has said of a kind, and forget everything."""
        found: list[C] = [one for one in self.said if isinstance(one, kind)]
        self.said.clear()
        return found

    def _take(self, effects: object) -> None:
        self.said.extend(effects.commands)  # type: ignore[attr-defined]
        self.records.extend(effects.records)  # type: ignore[attr-defined]


def key(level: int) -> SlotKey:
    return SlotKey(symbol=SYMBOL, generation=0, level=level)


def fill_of(order_id: str, side: Side, price: int, quantity: int, *, number: int = 1) -> Fill:
    return Fill(
        symbol=SYMBOL,
        order_id=order_id,
        trade_id=f"{order_id}/{number}",
        client_id="",
        side=side,
        price=price,
        quantity=quantity,
        fee=Decimal("0.006"),
        fee_asset="USDT",
        is_maker=True,
        venue_ms=WALL_MS,
    )


def position_of(steps: int) -> Position:
    return Position(
        symbol=SYMBOL,
        quantity=steps,
        entry_price=Decimal(3000),
        mark_price=Decimal(3000),
        unrealised=Decimal(0),
        liquidation=None,
        leverage=20,
        is_isolated=False,
        venue_ms=WALL_MS,
    )
