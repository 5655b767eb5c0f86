"""Worlds that watch their money: breakers on the example's grid, the account read every second."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from actors.virtual.mishaps import Mishaps
from actors.virtual.settings import ACCOUNT, WorldSettings
from actors.virtual.world import World
from exchanges.desk.commands import Notice
from exchanges.desk.events import Event
from exchanges.desk.settings import Breakers
from exchanges.sim.market import Funding, Mark
from exchanges.sim.orders import NewOrder, TimeInForce
from grid.order import Side
from risk.breakers import BreakerKind, BreakerRules, Reentry
from risk.stop_rule import StopRule
from tests.simulation.worlds import SYMBOL, example_plan, move, quote, settings_of, settle

ACCOUNT_MS = 1_000


def rules(*, cool_down_ms: int | None = None, recovery: str = "0", **limits: object) -> BreakerRules:
    """Return rules with one way back for all breakers, or none."""
    reentry = None
    if cool_down_ms is not None:
        back = Reentry(cool_down_ms=cool_down_ms, recovery=Decimal(recovery))
        reentry = dict.fromkeys((BreakerKind.STOP_LOSS, BreakerKind.TAKE_PROFIT, BreakerKind.LAYERS), back)
    return BreakerRules(reentry=reentry, **limits)  # type: ignore[arg-type]


def money_settings(
    *,
    symbol: Breakers | None = None,
    account: Breakers | None = None,
    unexplained_max: str | None = "0.01",
    stop: StopRule | None = None,
    max_lots: int = 50,
) -> WorldSettings:
    plan = replace(example_plan(max_lots=max_lots), breakers=symbol, stop=stop)
    settings = settings_of(plan)
    limit = None if unexplained_max is None else Decimal(unexplained_max)
    desk = replace(settings.desk, breakers=account, unexplained_max=limit)
    return replace(settings, desk=desk, account_ms=ACCOUNT_MS, income_ms=ACCOUNT_MS)


def money_world(
    *,
    symbol: Breakers | None = None,
    account: Breakers | None = None,
    unexplained_max: str | None = "0.01",
    mishaps: Mishaps | None = None,
    stop: StopRule | None = None,
    max_lots: int = 50,
) -> World:
    """Return a started world at 3000.00 that ties its equity."""
    settings = money_settings(
        symbol=symbol, account=account, unexplained_max=unexplained_max, stop=stop, max_lots=max_lots
    )
    world = World(settings, mishaps=mishaps)
    quote(world, 3000_00)
    mark(world, 3000_00)
    world.start()
    settle(world)
    return world


def go_to(world: World, price: int, *, settle_ms: int = 6_000) -> None:
    """Move the mark with the price."""
    mark(world, price)
    move(world, price, settle_ms=settle_ms)


def mark(world: World, price: int) -> None:
    """Set the mark, in ticks."""
    world.venue.on_market(
        Mark(symbol=SYMBOL, time_ms=world.agenda.wall_ms, price=world.settings.grids[0].venue.price(price))
    )


def pay_funding(world: World, rate: str) -> None:
    world.venue.on_market(Funding(symbol=SYMBOL, time_ms=world.agenda.wall_ms, rate=Decimal(rate)))


def transfer(world: World, amount: str) -> None:
    """Move money by another hand."""
    world.venue.publish(world.venue.engine.transfer(ACCOUNT, Decimal(amount), world.agenda.wall_ms))


def trade_by_hand(world: World, side: Side, quantity: str) -> None:
    """Trade the same symbol by another hand."""
    order = NewOrder(
        symbol=SYMBOL,
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(5_000 if side is Side.BUY else 1_000),
        time_in_force=TimeInForce.IOC,
    )
    order = replace(order, price=world.settings.grids[0].venue.price(world.venue.engine.read.book(SYMBOL).ask + 5))
    if side is Side.SELL:
        order = replace(order, price=world.settings.grids[0].venue.price(world.venue.engine.read.book(SYMBOL).bid - 5))
    world.venue.publish(world.venue.engine.foreign.place(ACCOUNT, order, world.agenda.wall_ms).events)


def say(world: World, event: Event) -> None:
    assert world.gateway is not None
    world.gateway.on_event(event)


def holds(world: World) -> list[tuple[str, str]]:
    """Return (cause, scope) of the holds in force."""
    return [(hold.cause.value, hold.symbol) for hold in world.book.holds.holds]


def notices(world: World, kind: str) -> list[Notice]:
    assert world.gateway is not None
    return [notice for notice in world.gateway.notices if notice.kind == kind]


def position(world: World) -> int:
    return world.venue.engine.read.position(ACCOUNT, SYMBOL).quantity


def unexplained(world: World) -> Decimal:
    assert world.gateway is not None
    tie = world.gateway.desk.accounting.tie
    assert tie is not None
    return tie.unexplained
