"""What a deployment may be like, beside what goes wrong: two symbols, tight limits, breakers, money that is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from enum import Enum
from random import Random

from actors.virtual.settings import GridPlan, WorldSettings
from exchanges.desk.settings import Breakers
from exchanges.sim.catalogue import demo_instrument
from grid.ladder import GridSide, Spacing
from grid.opening import OpeningRule
from grid.policy import GridPolicy
from risk.breakers import BreakerKind, BreakerRules, Reentry
from risk.stop_rule import StopRule
from tests.simulation import quirks
from tests.simulation.owners import standby

MONEY_MS = 3_000
SECOND_SYMBOL = "SOLUSDT"
END_SHARES = ("0.001", "0.003", "0.006")
FIRST_BIDS = {"ETHUSDT": 3000_00, SECOND_SYMBOL: 150_00}
"""Where each market begins, in ticks."""


class Trait(Enum):
    """One thing that a deployment may have."""

    TWO_SYMBOLS = "two_symbols"
    MONEY = "money"
    """Account and ledger are read, and equity has to tie."""
    FEES_IN_COIN = "fees_in_coin"
    LOW_ORDER_CAP = "low_order_cap"
    LOW_NOTIONAL = "low_notional"
    BREAKERS = "breakers"
    """Stop-loss, take-profit or layers of each symbol."""
    ACCOUNT_BREAKERS = "account_breakers"
    DAILY_LOSS = "daily_loss"
    END_PRICES = "end_prices"
    """Marks of each symbol at which its whole grid ends."""
    RANGE = "range"
    """Each grid lies between two prices, the market begins inside or beyond them."""
    GEOMETRIC = "geometric"
    """Each level is the one below times a ratio."""
    TRAIL = "trail"
    """The window follows the price between two limits only."""
    TRIGGER = "trigger"
    """Each grid waits for a mark price before it begins."""
    OPENING = "opening"
    """Each grid begins with the lots of some levels over the price."""
    LATE_POST_ONLY = "late_post_only"
    """A post-only order that would take is accepted and then cancelled; so may be too much to close."""
    TRADES_APART = "trades_apart"
    """The event of a fill tells neither price nor fee."""
    SHORT_MEMORY = "short_memory"
    """The venue forgets ids of orders that are over."""
    STATE_FIRST = "state_first"
    """The private stream begins with the open orders as they stand."""
    CONTRACTS = "contracts"
    """Quantities come in contracts of so and so many coins."""
    EXCHANGE_STOP = "exchange_stop"
    """A stop of each grid rests at the venue."""
    SLOW_STREAM = "slow_stream"
    """An answer to a cancel comes before the events of the fills that it knows of."""
    PACKED = "packed"
    """Two symbols share their feed and, where both ladders fit, their slot actor."""
    STANDBY = "standby"
    """Two hosts want the account: one has it, the other waits or is refused, by a lease in a shared store."""
    NEUTRAL = "neutral"
    """Each grid has two sides, and turns around at its start price."""


NEEDS_MONEY = frozenset({Trait.FEES_IN_COIN, Trait.DAILY_LOSS})
_SHARES = {
    Trait.TWO_SYMBOLS: 0.3,
    Trait.MONEY: 0.35,
    Trait.FEES_IN_COIN: 0.1,
    Trait.LOW_ORDER_CAP: 0.15,
    Trait.LOW_NOTIONAL: 0.15,
    Trait.BREAKERS: 0.2,
    Trait.ACCOUNT_BREAKERS: 0.1,
    Trait.DAILY_LOSS: 0.1,
}


_KINDS = {Trait.END_PRICES: 0.15, Trait.RANGE: 0.15}
"""Kinds of grids, drawn apart: they leave what every seed drew before as it was."""
_QUIRKS = dict.fromkeys(
    (
        Trait.LATE_POST_ONLY,
        Trait.TRADES_APART,
        Trait.SHORT_MEMORY,
        Trait.STATE_FIRST,
        Trait.CONTRACTS,
        Trait.SLOW_STREAM,
    ),
    0.12,
)
_APART = {
    Trait.GEOMETRIC: 0.2,
    Trait.TRAIL: 0.15,
    Trait.TRIGGER: 0.15,
    Trait.OPENING: 0.2,
    Trait.EXCHANGE_STOP: 0.15,
    Trait.PACKED: 0.5,
    Trait.STANDBY: 0.3,
    Trait.NEUTRAL: 0.2,
    **_QUIRKS,
}
"""Further kinds, each drawn by itself, so that the next one leaves them as they are."""
RATIOS = ("1.0005", "1.0007", "1.001")


def draw_traits(seed: int, rng: Random, kinds: Random) -> frozenset[Trait]:
    """Return the traits of one schedule."""
    drawn = {trait for trait, share in _SHARES.items() if rng.random() < share}
    drawn |= {trait for trait, share in _KINDS.items() if kinds.random() < share}
    return frozenset(drawn | {trait for trait, share in _APART.items() if Random(f"{trait} {seed}").random() < share})


def with_traits(
    settings: WorldSettings, traits: frozenset[Trait], seed: int, rng: Random, kinds: Random
) -> WorldSettings:
    """Return the deployment with these traits. Whatever is not asked for draws nothing and changes nothing."""
    if traits & NEEDS_MONEY:
        traits |= {Trait.MONEY}
    for trait in Trait:
        if trait in _APART and trait in traits:
            settings = _CHANGES[trait](settings, Random(f"{trait} of {seed}"))
        elif trait in traits:
            settings = _CHANGES[trait](settings, kinds if trait in _KINDS else rng)
    return settings


def _two_symbols(settings: WorldSettings, rng: Random) -> WorldSettings:
    plan = GridPlan(
        venue=demo_instrument(SECOND_SYMBOL),
        policy=GridPolicy(
            symbol=SECOND_SYMBOL,
            amount=Decimal(30),
            buy_window=rng.choice((2, 3)),
            sell_window=rng.choice((None, 3)),
            max_lots=rng.choice((50, 4)),
            maker_fee=Decimal("0.0002"),
        ),
        interval=20,
        anchor=FIRST_BIDS[SECOND_SYMBOL],
        side=GridSide.SHORT if rng.random() < 0.3 else GridSide.LONG,
        slots_per_actor=rng.choice((2, 8)),
    )
    return replace(settings, grids=(*settings.grids, plan))


def _money(settings: WorldSettings, rng: Random) -> WorldSettings:
    desk = replace(settings.desk, unexplained_max=Decimal("0.01"))
    return replace(settings, desk=desk, account_ms=MONEY_MS, income_ms=2 * MONEY_MS)


def _fees_in_coin(settings: WorldSettings, rng: Random) -> WorldSettings:
    return replace(settings, coin_deposit=Decimal(1))


def _low_order_cap(settings: WorldSettings, rng: Random) -> WorldSettings:
    return replace(settings, desk=replace(settings.desk, orders_max=rng.choice((2, 3, 4))))


def _low_notional(settings: WorldSettings, rng: Random) -> WorldSettings:
    return replace(settings, desk=replace(settings.desk, notional_max=Decimal(rng.choice((95, 140, 200)))))


def _breakers(settings: WorldSettings, rng: Random) -> WorldSettings:
    grids = tuple(replace(grid, breakers=_rules(rng)) for grid in settings.grids)
    return replace(settings, grids=grids)


def _account_breakers(settings: WorldSettings, rng: Random) -> WorldSettings:
    return replace(settings, desk=replace(settings.desk, breakers=_rules(rng)))


def _daily_loss(settings: WorldSettings, rng: Random) -> WorldSettings:
    return replace(settings, desk=replace(settings.desk, daily_loss=Decimal(rng.choice(("0.15", "0.4", "1")))))


def _rules(rng: Random) -> Breakers:
    cool_down_ms = rng.choice((None, 3_000, 8_000))
    reentry = None
    if cool_down_ms is not None:
        back = Reentry(cool_down_ms=cool_down_ms, recovery=Decimal(rng.choice(("0", "0.0005"))))
        reentry = dict.fromkeys((BreakerKind.STOP_LOSS, BreakerKind.TAKE_PROFIT, BreakerKind.LAYERS), back)
    rules = BreakerRules(
        stop_loss=rng.choice((None, Decimal("0.1"), Decimal("0.3"))),
        take_profit_arm=rng.choice((None, Decimal("0.02"), Decimal("0.05"))),
        layers_max=rng.choice((None, None, 2, 4)),
        reentry=reentry,
    )
    return Breakers(rules=rules, sells=rng.random() < 0.4)


def _end_prices(settings: WorldSettings, rng: Random) -> WorldSettings:
    return replace(settings, grids=tuple(_ending(grid, rng) for grid in settings.grids))


def _ending(grid: GridPlan, rng: Random) -> GridPlan:
    """Return the grid with a stop and a goal a little away from where its market begins."""
    first, sign = grid.instrument.price(FIRST_BIDS[grid.symbol]), grid.side.sign
    stop, goal = (rng.choice((None, *(Decimal(share) for share in END_SHARES))) for _ in range(2))
    known = grid.breakers or Breakers(rules=BreakerRules())
    reentry = known.rules.reentry
    if reentry is not None:
        reentry = {**reentry, BreakerKind.STOP_PRICE: reentry[BreakerKind.STOP_LOSS]}
    rules = replace(
        known.rules,
        stop_price=None if stop is None else first * (1 - sign * stop),
        profit_price=None if goal is None else first * (1 + sign * goal),
        reentry=reentry,
    )
    return replace(grid, breakers=replace(known, rules=rules, sells=known.sells or rng.random() < 0.5))


def _ranges(settings: WorldSettings, rng: Random) -> WorldSettings:
    return replace(settings, grids=tuple(_bounded(grid, rng) for grid in settings.grids))


def _bounded(grid: GridPlan, rng: Random) -> GridPlan:
    """Return the grid with a few levels around where its market begins, level 0 at the far end."""
    count, above = rng.choice((2, 4, 9)), rng.choice((-1, 1, 2, 5))
    anchor = FIRST_BIDS[grid.symbol] + grid.side.sign * grid.interval * (above - count)
    return replace(grid, anchor=anchor, policy=replace(grid.policy, lowest_level=0, highest_level=count - 1))


def _geometric(settings: WorldSettings, rng: Random) -> WorldSettings:
    grids = [replace(one, spacing=Spacing.GEOMETRIC, ratio=Decimal(rng.choice(RATIOS))) for one in settings.grids]
    return replace(settings, grids=tuple(grids))


def _trailing(settings: WorldSettings, rng: Random) -> WorldSettings:
    """Let each window go a few levels up, or down, from where its market begins, and no farther."""
    return replace(settings, grids=tuple(_limited(grid, rng) for grid in settings.grids))


def _limited(grid: GridPlan, rng: Random) -> GridPlan:
    if grid.policy.lowest_level is not None:
        return grid  # it lies between two prices already
    begin = grid.side.sign * (FIRST_BIDS[grid.symbol] - grid.anchor) // grid.interval
    lowest, highest = begin - rng.choice((1, 3, 6)), begin + rng.choice((0, 2, 5))
    is_open = rng.choice(("below", "above", "neither", "neither"))
    policy = replace(
        grid.policy,
        lowest_level=None if is_open == "below" else lowest,
        highest_level=None if is_open == "above" else highest,
    )
    return replace(grid, policy=policy)


def _triggers(settings: WorldSettings, rng: Random) -> WorldSettings:
    """Let each grid wait for a price a little over or under where its market begins."""
    grids = []
    for grid in settings.grids:
        away = Decimal(rng.choice(("-0.004", "-0.0015", "-0.0004", "0.0004", "0.0015", "0.004")))
        grids.append(replace(grid, trigger=grid.instrument.price(FIRST_BIDS[grid.symbol]) * (1 + away)))
    return replace(settings, grids=tuple(grids))


def _openings(settings: WorldSettings, rng: Random) -> WorldSettings:
    grids = []
    for grid in settings.grids:
        levels = None if grid.policy.highest_level is not None and rng.random() < 0.5 else rng.choice((1, 3, 7))
        slippage = Decimal(rng.choice(("0.0002", "0.001", "0.01")))
        grids.append(replace(grid, opening=OpeningRule(levels=levels, slippage=slippage)))
    return replace(settings, grids=tuple(grids))


def _stops(settings: WorldSettings, rng: Random) -> WorldSettings:
    """Let few lots be held, and a stop lie a little beyond the level of the last."""
    grids = []
    for grid in settings.grids:
        distance = Decimal(rng.choice(("0.002", "0.006", "0.02")))
        rule = StopRule(distance=distance, closes_foreign=rng.random() < 0.3)
        policy = replace(grid.policy, max_lots=min(grid.policy.max_lots, rng.choice((3, 5))))
        grids.append(replace(grid, stop=rule, policy=policy))
    return replace(settings, grids=tuple(grids))


def _packed(settings: WorldSettings, rng: Random) -> WorldSettings:
    if len(settings.grids) < 2:
        return settings
    slots = rng.choice((8, 16, 100))
    grids = tuple(replace(grid, slots_per_actor=slots) for grid in settings.grids)
    return replace(settings, grids=grids, symbols_per_actor=2)


def _neutral(settings: WorldSettings, rng: Random) -> WorldSettings:
    return replace(settings, grids=tuple(_two_sided(grid, rng) for grid in settings.grids))


def _two_sided(grid: GridPlan, rng: Random) -> GridPlan:
    """Return the grid with levels on both sides of a start price near which its market begins.

    It has no end by a price and begins with no position: both would be of one side.
    """
    start = FIRST_BIDS[grid.symbol] + rng.choice((-150, -40, 0, 0, 40, 150)) * grid.interval // 200
    long, short = (replace(grid.policy, lowest_level=-rng.choice((2, 6, 14)), highest_level=-1) for _ in range(2))
    known = grid.breakers
    if known is not None:
        known = replace(known, rules=replace(known.rules, stop_price=None, profit_price=None))
    return replace(grid, side=GridSide.LONG, anchor=start, policy=long, short=short, opening=None, breakers=known)


_CHANGES: Mapping[Trait, Callable[[WorldSettings, Random], WorldSettings]] = {
    Trait.TWO_SYMBOLS: _two_symbols,
    Trait.MONEY: _money,
    Trait.FEES_IN_COIN: _fees_in_coin,
    Trait.LOW_ORDER_CAP: _low_order_cap,
    Trait.LOW_NOTIONAL: _low_notional,
    Trait.BREAKERS: _breakers,
    Trait.ACCOUNT_BREAKERS: _account_breakers,
    Trait.DAILY_LOSS: _daily_loss,
    Trait.END_PRICES: _end_prices,
    Trait.RANGE: _ranges,
    Trait.GEOMETRIC: _geometric,
    Trait.TRAIL: _trailing,
    Trait.TRIGGER: _triggers,
    Trait.OPENING: _openings,
    Trait.LATE_POST_ONLY: quirks.late_post_only,
    Trait.TRADES_APART: quirks.trades_apart,
    Trait.SHORT_MEMORY: quirks.short_memory,
    Trait.STATE_FIRST: quirks.state_first,
    Trait.CONTRACTS: quirks.contracts,
    Trait.SLOW_STREAM: quirks.slow_stream,
    Trait.EXCHANGE_STOP: _stops,
    Trait.PACKED: _packed,
    Trait.STANDBY: standby,
    Trait.NEUTRAL: _neutral,
}
