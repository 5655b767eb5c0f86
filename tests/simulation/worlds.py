"""Worlds to test in: one ETHUSDT grid as in the specification's example, and the market's moves in plain prices."""

from __future__ import annotations

from decimal import Decimal

from actors.actor_names import RISK
from actors.virtual.agenda import EPOCH_MS
from actors.virtual.mishaps import Mishaps
from actors.virtual.risk import CandleTape
from actors.virtual.settings import ACCOUNT, GridPlan, Latency, WorldSettings
from actors.virtual.world import GATEWAY, World
from exchanges.desk.settings import DeskSettings
from exchanges.sim.catalogue import demo_instrument
from exchanges.sim.market import BookTop, Trade
from grid.order import Purpose, Side
from grid.policy import GridPolicy
from risk.rules import RiskRules

JOURNAL = "Sim1"
SYMBOL = "ETHUSDT"
DEEP = 1_000_000
QUICK_RISK = RiskRules(
    watch=("BTCUSDT", "ETHUSDT"),
    interval_ms=1_000,
    fall_window=3,
    baseline_window=6,
    stale_ms=4_000,
    min_hold_ms=2_000,
)

__all__ = ["GATEWAY", "RISK", "example_plan", "example_world", "move", "resting", "settle", "settings_of"]


def example_plan(
    *,
    buy_window: int = 3,
    sell_window: int | None = 3,
    max_lots: int = 50,
    anchor: int = 300_000,
    slots_per_actor: int = 1,
) -> GridPlan:
    """Return the grid of the specification's example: ETHUSDT, interval 2, amount 30."""
    return GridPlan(
        venue=demo_instrument(SYMBOL),
        policy=GridPolicy(
            symbol=SYMBOL,
            amount=Decimal(30),
            buy_window=buy_window,
            sell_window=sell_window,
            max_lots=max_lots,
            maker_fee=Decimal("0.0002"),
        ),
        interval=200,
        anchor=anchor,
        modulus=8,
        slots_per_actor=slots_per_actor,
    )


def settings_of(*grids: GridPlan, seed: int = 0, latency: Latency | None = None) -> WorldSettings:
    """Return a deployment of these grids with a supervisor that is quick to judge."""
    return WorldSettings(
        grids=grids,
        desk=DeskSettings(journal=JOURNAL, notional_max=Decimal(5_000), margin_pause_ms=5_000),
        risk=QUICK_RISK,
        seed=seed,
        latency=latency or Latency(),
        call_timeout_ms=1_000,
    )


def example_world(
    plan: GridPlan | None = None, *, mishaps: Mishaps | None = None, candles: CandleTape | None = None
) -> World:
    """Return a started world at 3000.00 of which everything is up, before the first order could fill."""
    world = World(settings_of(plan or example_plan()), mishaps=mishaps, candles=candles)
    quote(world, 3000_00)
    world.start()
    settle(world)
    return world


def quote(world: World, bid: int) -> None:
    """Show the others' best prices, one tick apart."""
    world.venue.on_market(
        BookTop(
            symbol=SYMBOL,
            time_ms=world.agenda.wall_ms,
            bid=bid,
            bid_quantity=DEEP,
            ask=bid + 1,
            ask_quantity=DEEP,
        )
    )


def trade(world: World, price: int, aggressor: Side, quantity: int = DEEP) -> None:
    """Print one trade between others."""
    world.venue.on_market(
        Trade(symbol=SYMBOL, time_ms=world.agenda.wall_ms, price=price, quantity=quantity, aggressor=aggressor)
    )


def move(world: World, bid: int, *, settle_ms: int = 6_000) -> None:
    """Let the price jump to a bid in one print and one quote, then let everybody act."""
    falls = bid < world.venue.engine.read.book(SYMBOL).bid
    trade(world, bid if falls else bid + 1, Side.SELL if falls else Side.BUY)
    quote(world, bid)
    settle(world, settle_ms)


def settle(world: World, settle_ms: int = 6_000) -> None:
    """Let time pass."""
    world.run_until(world.agenda.now_ms + settle_ms)


def resting(world: World, side: Side) -> list[tuple[Decimal, Decimal]]:
    """Return (price, quantity left) of what rests at the venue, highest first."""
    instrument = world.settings.grids[0].venue
    orders = [o for o in world.venue.engine.read.open_orders(ACCOUNT) if o.side is side]
    return sorted(((instrument.price(o.price), instrument.quantity(o.left)) for o in orders), reverse=True)


def purpose_of(client_id: str) -> Purpose | None:
    """Return what an order of ours is for, None where it is not ours."""
    from grid.client_id import decode

    identity = decode(client_id, SYMBOL)
    return identity.purpose if identity is not None else None


START_MS = EPOCH_MS
