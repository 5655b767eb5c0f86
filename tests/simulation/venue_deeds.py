"""What the venue itself does: funding, transfers, decrees, and other rules."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from actors.virtual.settings import ACCOUNT
from actors.virtual.world import GATEWAY
from exchanges.sim.market import Funding
from grid.holds import HoldCause
from tests.simulation.faults import Fault
from tests.simulation.hands import Hands


def pay_funding(hands: Hands, fault: Fault) -> None:
    """Let funding be settled."""
    hands.weather.strike(fault, hands.symbol(fault))
    rate = Decimal(fault.scaled(-30, 30)) / 10_000
    event = Funding(symbol=hands.symbol(fault), time_ms=hands.world.agenda.wall_ms, rate=rate)
    hands.world.venue.on_market(event)


def transfer(hands: Hands, fault: Fault) -> None:
    """Move money in or out by another hand."""
    amount = Decimal(fault.scaled(-900, 900))
    hands.weather.strike(fault, amount)
    engine, wall_ms = hands.world.venue.engine, hands.world.agenda.wall_ms
    hands.world.venue.publish(engine.transfer(ACCOUNT, amount, wall_ms))


def liquidate(hands: Hands, fault: Fault) -> None:
    """Let the venue close the position by force."""
    symbol = hands.symbol(fault)
    if hands.truth.positions[symbol]:
        hands.weather.strike(fault, symbol)
        _expect_hold(hands, symbol)
        engine = hands.world.venue.engine
        hands.world.venue.publish(engine.foreign.liquidate(ACCOUNT, symbol, hands.world.agenda.wall_ms))


def deleverage(hands: Hands, fault: Fault) -> None:
    """Let the venue close a part of the position against somebody's bankrupt one."""
    symbol = hands.symbol(fault)
    if hands.truth.positions[symbol]:
        hands.weather.strike(fault, symbol)
        _expect_hold(hands, symbol)
        engine, steps = hands.world.venue.engine, fault.scaled(1, 15)
        hands.world.venue.publish(engine.foreign.auto_deleverage(ACCOUNT, symbol, steps, hands.world.agenda.wall_ms))


def _expect_hold(hands: Hands, symbol: str) -> None:
    """What the venue does by force has to be answered by a hold, unless one of that cause stands already."""
    if symbol not in hands.truth.ruled:
        hands.truth.unanswered.add(symbol)


def raise_minimum(hands: Hands, fault: Fault) -> None:
    """Let the venue ask for more notional than some levels, or all, can have."""
    symbol, engine = hands.symbol(fault), hands.world.venue.engine
    instrument = engine.read.instrument(symbol)
    wanted = Decimal(fault.scaled(26, 36))
    if wanted > instrument.notional_min:
        hands.weather.strike(fault, wanted)
        hands.truth.ruled_ms[symbol] = hands.world.agenda.now_ms
        changed = replace(instrument, notional_min=wanted)
        hands.world.venue.publish(engine.foreign.change_instrument(changed, hands.world.agenda.wall_ms))


def close_symbol(hands: Hands, fault: Fault) -> None:
    """Let the venue take no orders of a symbol for a while."""
    symbol, engine = hands.symbol(fault), hands.world.venue.engine
    instrument = engine.read.instrument(symbol)
    if not instrument.trading:
        return
    hands.weather.strike(fault, symbol)
    hands.truth.closed_ms[symbol] = hands.world.agenda.now_ms
    closed = instrument.with_status("PENDING_TRADING")
    hands.world.venue.publish(engine.foreign.change_instrument(closed, hands.world.agenda.wall_ms))
    hands.world.agenda.after(fault.scaled(1_000, 20_000), "reopen", symbol, lambda: hands.reopen(symbol))


def change_units(hands: Hands, fault: Fault) -> None:
    """Let the venue's rules tell another tick, and have them read."""
    symbol, gateway = hands.symbol(fault), hands.world.gateway
    if gateway is None:
        return
    hands.weather.strike(fault, symbol)
    hands.world.venue.told_ticks[symbol] = hands.plan(symbol).venue.tick * 10
    gateway.read_rules()
    life = hands.world.life(GATEWAY)

    def look() -> None:
        is_told = symbol in hands.world.venue.told_ticks and hands.world.is_in_life(GATEWAY, life)
        if is_told and hands.world.book.holds.find(HoldCause.VENUE_RULE, symbol) is None:
            hands.complain(f"units_that_change_hold_entries: {symbol} has another tick and nothing holds")

    hands.world.agenda.after(9_000, "operator", symbol, look)
