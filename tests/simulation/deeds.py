"""What strikes the world itself: kills, silence, other hands, the venue's decrees, the operator's own words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from random import Random

from actors.actor_names import RISK
from actors.virtual.settings import ACCOUNT
from actors.virtual.world import GATEWAY
from exchanges.sim.orders import NewOrder, TimeInForce
from exchanges.sim.refusal import Refused
from grid.ladder import Spacing
from grid.order import Side
from tests.simulation.faults import Fault, Kind
from tests.simulation.hands import INTERVALS, STOP_MODES, Hands
from tests.simulation.owners import OWNER_DEEDS
from tests.simulation.schedule import Move
from tests.simulation.stopping import Stop
from tests.simulation.traits import RATIOS
from tests.simulation.venue_deeds import (
    change_units,
    close_symbol,
    deleverage,
    liquidate,
    pay_funding,
    raise_minimum,
    transfer,
)


def kill_gateway(hands: Hands, fault: Fault) -> None:
    """Kill the gateway between two events."""
    hands.kill(fault, GATEWAY)


def kill_slot(hands: Hands, fault: Fault) -> None:
    """Kill a slot actor."""
    names = sorted(hands.world.slots)
    if names:
        hands.kill(fault, names[fault.size % len(names)])


def kill_feed(hands: Hands, fault: Fault) -> None:
    """Kill a feed."""
    hands.kill(fault, hands.world.settings.feeds[hands.symbol(fault)])


def kill_risk(hands: Hands, fault: Fault) -> None:
    """Kill the supervisor."""
    hands.kill(fault, RISK)


def silence_risk(hands: Hands, fault: Fault) -> None:
    """Let no go of the supervisor arrive for a while."""
    hands.weather.strike(fault, RISK)
    hands.weather.silent_until_ms = hands.world.agenda.now_ms + fault.scaled(3_000, 22_000)


def reconfigure(hands: Hands, fault: Fault) -> None:
    """Start everything with other ladders."""
    if hands.stop is not None or hands.world.gateway is None:
        return
    rng = Random(fault.size)
    grids = []
    for plan in hands.world.settings.grids:
        interval = rng.choice(INTERVALS[plan.symbol])
        anchor = plan.anchor + rng.choice((0, 0, 7, interval // 2))
        policy = replace(plan.policy, buy_window=rng.choice((2, 3, 4)))
        ratio = Decimal(rng.choice(RATIOS)) if plan.spacing is Spacing.GEOMETRIC else plan.ratio
        grids.append(replace(plan, interval=interval, ratio=ratio, anchor=anchor, policy=policy))
    hands.weather.strike(fault, ", ".join(f"{grid.symbol} {grid.interval} from {grid.anchor}" for grid in grids))
    hands.restart_all(tuple(grids))


def stop(hands: Hands, fault: Fault) -> None:
    """Have the operator stop, and start again when it is done."""
    if hands.stop is not None or hands.world.gateway is None:
        return
    mode = STOP_MODES[fault.kind]
    hands.weather.strike(fault, mode.value)

    def start_again() -> None:
        hands.stop = None
        hands.restart_all(hands.world.settings.grids)

    hands.stop = Stop(
        world=hands.world,
        truth=hands.truth,
        mode=mode,
        pause_ms=fault.scaled(100, 3_000),
        complain=hands.complain,
        then=start_again,
    )
    hands.stop.begin()


def gap(hands: Hands, fault: Fault) -> None:
    """Mute the private stream, and cut it with an error later."""
    stream = hands.world.stream
    if stream.is_up:
        hands.weather.strike(fault, "mute")
        stream.mute()
        gap_ms = fault.scaled(50, 6_000)
        hands.world.agenda.after(gap_ms, "stream", "cut", lambda: stream.cut("connection reset"))


def deaf(hands: Hands, fault: Fault) -> None:
    """Mute the private stream for good."""
    if hands.world.stream.is_up:
        hands.weather.strike(fault, "deaf")
        hands.world.stream.mute()


def freeze(hands: Hands, fault: Fault) -> None:
    """Send no quotes of a symbol for a while."""
    symbol, frozen = hands.symbol(fault), hands.world.venue.frozen
    if symbol in frozen:
        return
    hands.weather.strike(fault, symbol)
    frozen.add(symbol)
    hands.truth.note_lives()
    hands.world.agenda.after(fault.scaled(500, 40_000), "thaw", symbol, lambda: hands.thaw(symbol))


def jump(hands: Hands, fault: Fault) -> None:
    """Let the price jump by up to eight intervals in one print."""
    symbol = hands.symbol(fault)
    hands.weather.strike(fault, "")
    reach = 8 * INTERVALS[symbol][1]
    away = fault.scaled(-reach, reach)
    hands.market.move(
        Move(at_ms=0, bid=hands.market.bids[symbol] + away, quantity=100_000, shown=3, symbol=symbol),
    )


def shock(hands: Hands, fault: Fault) -> None:
    """Let every watched coin fall on loud volume."""
    start_ms = hands.world.agenda.now_ms // 1_000 * 1_000
    if any(end_ms + 5_000 > start_ms for _, end_ms in hands.tape.shocks):
        return  # one fall at a time: a second would be judged by the mean of the first
    found = (start_ms, start_ms + fault.scaled(1, 13) * 1_000)
    hands.weather.strike(fault, "")
    hands.tape.shocks.append(found)
    hands.truth.shocks.append(found)


def hold(hands: Hands, fault: Fault) -> None:
    """Let the operator hold entries for a while."""
    if hands.world.gateway is None:
        return
    hands.weather.strike(fault, "")
    hands.ask_hold(is_put=True)
    hands.world.agenda.after(fault.scaled(200, 9_000), "operator", "resume", lambda: hands.ask_hold(is_put=False))


def foreign_order(hands: Hands, fault: Fault) -> None:
    """Let somebody rest an order by hand, far from the market."""
    symbol, side = hands.symbol(fault), Side.BUY if fault.size // 2 % 2 else Side.SELL
    away = 25 * INTERVALS[symbol][1]
    price = hands.market.bids[symbol] + (-away if side is Side.BUY else away)
    instrument = hands.plan(symbol).venue
    order = NewOrder(
        symbol=symbol,
        side=side,
        quantity=instrument.quantity(20),
        price=instrument.price(price),
        time_in_force=TimeInForce.GTC,
    )
    try:
        placed = hands.world.venue.engine.foreign.place(ACCOUNT, order, hands.world.agenda.wall_ms)
    except Refused:
        return
    hands.weather.strike(fault, side.value)
    hands.world.venue.publish(placed.events)


def foreign_buy(hands: Hands, fault: Fault) -> None:
    """Let somebody open by hand, in the direction of the grid."""
    _trade_by_hand(hands, fault, hands.plan(hands.symbol(fault)).side.sign * fault.scaled(1, 40))


def foreign_sell(hands: Hands, fault: Fault) -> None:
    """Let somebody close by hand; what is beyond theirs comes off our lots."""
    _trade_by_hand(hands, fault, -hands.plan(hands.symbol(fault)).side.sign * fault.scaled(1, 25))


def _trade_by_hand(hands: Hands, fault: Fault, quantity: int) -> None:
    hands.weather.strike(fault, quantity)
    engine, venue = hands.world.venue.engine, hands.world.venue
    venue.publish(
        engine.foreign.move_position(ACCOUNT, hands.symbol(fault), quantity, hands.world.agenda.wall_ms),
    )


def end_exit(hands: Hands, fault: Fault) -> None:
    """Let the venue cancel a resting exit of ours."""
    exits = sorted(client_id for client_id, order in hands.truth.open.items() if order.reduce_only)
    if not exits:
        return
    client_id = exits[fault.size % len(exits)]
    hands.weather.strike(fault, client_id)
    engine, wall_ms = hands.world.venue.engine, hands.world.agenda.wall_ms
    symbol = hands.truth.open[client_id].symbol
    hands.world.venue.publish(engine.cancel(ACCOUNT, symbol, wall_ms, client_id=client_id).events)


DEEDS: dict[Kind, Callable[[Hands, Fault], None]] = {
    Kind.KILL_GATEWAY: kill_gateway,
    Kind.KILL_SLOT: kill_slot,
    Kind.KILL_FEED: kill_feed,
    Kind.KILL_RISK: kill_risk,
    Kind.RISK_SILENT: silence_risk,
    Kind.RECONFIGURE: reconfigure,
    Kind.STOP_KEEP: stop,
    Kind.STOP_LEAVE_EXITS: stop,
    Kind.STOP_FLATTEN: stop,
    Kind.STREAM_GAP: gap,
    Kind.STREAM_DEAF: deaf,
    Kind.FROZEN_PRICE: freeze,
    Kind.PRICE_JUMP: jump,
    Kind.MARKET_SHOCK: shock,
    Kind.OPERATOR_HOLD: hold,
    Kind.FOREIGN_ORDER: foreign_order,
    Kind.FOREIGN_BUY: foreign_buy,
    Kind.FOREIGN_SELL: foreign_sell,
    Kind.VENUE_ENDS_EXIT: end_exit,
    Kind.FUNDING: pay_funding,
    Kind.TRANSFER: transfer,
    Kind.LIQUIDATION: liquidate,
    Kind.DELEVERAGING: deleverage,
    Kind.MINIMUM_RAISED: raise_minimum,
    Kind.SYMBOL_CLOSED: close_symbol,
    Kind.UNITS_CHANGED: change_units,
    **OWNER_DEEDS,
}
