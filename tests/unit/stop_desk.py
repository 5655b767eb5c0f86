"""A desk with an exchange-side stop, and the venue's answers about it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from exchanges.desk.commands import SendStop
from exchanges.desk.events import (
    NotSent,
    Refused,
    StopAccepted,
    StopAnswered,
    StopRead,
    StreamSaid,
    Unknown,
)
from exchanges.errors import Refusal
from grid.holds import HoldCause
from grid.order import OrderReport, OrderStatus, OrderUpdate, Side
from grid.stop import StopEntry, StopPhase, StopReport, StopStatus
from risk.stop_rule import StopRule
from tests.simulation.worlds import SYMBOL
from tests.unit.order_desk_world import WALL_MS, DeskWorld, fill_of

RULE = StopRule(distance=Decimal("0.02"))
GONE = Refused(refusal=Refusal.UNKNOWN_ORDER, code="-2013", message="Order does not exist.")


def stop_of(world: DeskWorld) -> StopEntry:
    stop = world.desk.book.symbol(SYMBOL).stop
    assert stop is not None
    return stop


def report(
    world: DeskWorld, status: StopStatus = StopStatus.WAITING, *, order_id: str = "", client_id: str = ""
) -> StopReport:
    stop = world.desk.book.symbol(SYMBOL).stop
    return StopReport(
        symbol=SYMBOL,
        client_id=client_id or (stop.client_id if stop is not None else ""),
        algo_id="17",
        side=Side.SELL,
        status=status,
        trigger=stop.trigger if stop is not None else 290_000,
        closes_position=True,
        order_id=order_id,
    )


def covered(world: DeskWorld | None = None, *, lots: int = 1) -> DeskWorld:
    """A desk with lots, whose stop rests."""
    world = world or DeskWorld(max_lots=5, stop=RULE).ready()
    for level in range(-1, -1 - lots, -1):
        world.bought(level)
        show(world, level)
    world.pass_ms(100)
    place(world)
    return world


def show(world: DeskWorld, level: int) -> str:
    """Let the level's exit rest."""
    order = world.slot(level).order
    assert order is not None
    if not order.order_id:
        assert world.send(order.client_id)
        world.tell(StreamSaid(update=OrderUpdate(report=world.report(order.client_id))))
    return order.client_id


def place(world: DeskWorld) -> None:
    sent = world.heard(SendStop)
    assert [one.client_id for one in sent] == [stop_of(world).client_id]
    approved, effects = world.desk.release_stop(sent[0].client_id, world.now())
    world._take(effects)
    assert approved is not None
    answer(world, StopAccepted(report=report(world)))
    assert stop_of(world).phase is StopPhase.LIVE


def answer(world: DeskWorld, outcome: StopAccepted | Refused | NotSent | Unknown) -> None:
    world.tell(StopAnswered(symbol=SYMBOL, client_id=stop_of(world).client_id, outcome=outcome))


def looked_up(world: DeskWorld, outcome: StopAccepted | Refused | NotSent | Unknown) -> None:
    client_id = stop_of(world).client_id
    world.tell(StopRead(symbol=SYMBOL, client_id=client_id, begun_ms=world.now_ms, outcome=outcome))


def sent(world: DeskWorld) -> DeskWorld:
    """A desk whose stop has left, and no answer came."""
    world.bought(-1)
    world.pass_ms(100)
    approved, effects = world.desk.release_stop(stop_of(world).client_id, world.now())
    world._take(effects)
    assert approved is not None
    return world


def sold(world: DeskWorld, quantity: int, *, order_id: str = "v9", client_id: str = "") -> OrderUpdate:
    """The order that the stop became, filled whole."""
    owner = client_id or stop_of(world).client_id
    told = OrderReport(
        symbol=SYMBOL,
        order_id=order_id,
        client_id=owner,
        side=Side.SELL,
        status=OrderStatus.FILLED,
        price=0,
        quantity=quantity,
        filled=quantity,
        closing=True,
        venue_ms=WALL_MS + world.now_ms,
    )
    return OrderUpdate(report=told, fill=replace(fill_of(order_id, Side.SELL, 293_000, quantity), client_id=owner))


def is_held(world: DeskWorld) -> bool:
    return world.desk.book.holds.find(HoldCause.STOP_LOSS, SYMBOL) is not None
