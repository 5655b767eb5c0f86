"""From the settings and the venue's answers to what the pre-start checks judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from actors.settings.account import Settings
from actors.settings.symbol import MarginType, SymbolSettings
from exchanges.port import Account, FeeRates, MaintenanceTier, Position
from grid.instrument import Instrument
from grid.ladder import GridSide, Ladder
from grid.neutral import half_of
from grid.opening import levels_to_open
from grid.order import Quote
from grid.policy import GridPolicy
from risk.plan import AccountPlan, SymbolPlan, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolReading:
    """What the venue said about one symbol. `position` None: none was ever held."""

    instrument: Instrument
    quote: Quote
    fees: FeeRates
    tiers: Sequence[MaintenanceTier]
    position: Position | None


def account_plan(settings: Settings, account: Account) -> AccountPlan:
    """Return the account as the checks need it."""
    return AccountPlan(
        wallet=account.wallet,
        unrealised=account.unrealised,
        is_one_way=account.is_one_way,
        is_multi_asset=account.is_multi_asset,
        can_trade=account.can_trade,
        max_leverage=settings.risk.max_leverage,
        required_positions=settings.risk.required_positions,
        max_notional=settings.account.max_notional,
    )


def symbol_plan(
    settings: Settings, symbol: SymbolSettings, reading: SymbolReading, ladder: Ladder, other: Ladder | None = None
) -> SymbolPlan:
    """Return one symbol's grid as it would start now on these levels; `other`: a neutral one's other side."""
    plan = _side_plan(settings, symbol, reading, ladder)
    if other is None:
        return plan
    # It works only once nothing is held any more.
    flat = replace(reading, position=replace(reading.position, quantity=0) if reading.position is not None else None)
    return replace(plan, other=_side_plan(settings, symbol, flat, other))


def _side_plan(settings: Settings, symbol: SymbolSettings, reading: SymbolReading, ladder: Ladder) -> SymbolPlan:
    quote, position = reading.quote, reading.position
    return SymbolPlan(
        instrument=reading.instrument,
        policy=within(grid_policy(settings, symbol, reading.fees), symbol, ladder, reading.instrument),
        ladder=ladder,
        reference=quote.bid if ladder.side is GridSide.LONG else quote.ask,
        leverage=symbol.leverage or (position.leverage if position else 1),
        is_isolated=_is_isolated(symbol, position),
        taker_fee=reading.fees.taker,
        tiers=tuple(_tier(tier) for tier in reading.tiers),
        position=position.quantity if position else 0,
        entry_price=position.entry_price if position else reading.instrument.price(0),
        stop_price=symbol.stop_price,
        profit_price=symbol.take_profit_price,
        stop=symbol.exchange_stop.rule() if symbol.exchange_stop is not None else None,
    )


def with_opening(plan: SymbolPlan, symbol: SymbolSettings) -> SymbolPlan:
    """Return the plan of a grid that is created now, with the position that it begins with."""
    rule, mark = symbol.opening, plan.instrument.price(plan.reference)
    if rule is None:
        return plan
    reference = plan.sign * plan.reference
    levels = levels_to_open(rule, plan.ladder, plan.policy, plan.instrument, reference, plan.lots_held)
    return replace(plan, opening=levels, opening_limit=rule.limit(mark, plan.instrument, plan.sign))


def grid_policy(settings: Settings, ladder: SymbolSettings, fees: FeeRates) -> GridPolicy:
    """Return the symbol's rules as the grid knows them."""
    return GridPolicy(
        symbol=ladder.symbol,
        amount=ladder.amount,
        buy_window=ladder.buy_window,
        sell_window=ladder.sell_window,
        max_lots=ladder.max_lots,
        maker_fee=fees.maker,
        entry_slack=ladder.entry_slack,
        min_rest_ms=int(ladder.min_rest_s * 1000),
        price_age_ms=int(settings.runtime.price_age_s * 1000),
        exit_taker=ladder.exit_taker,
        lowest_level=0 if ladder.range is not None else None,
        highest_level=ladder.range.grids - 1 if ladder.range is not None else None,
    )


def within(policy: GridPolicy, symbol: SymbolSettings, ladder: Ladder, instrument: Instrument) -> GridPolicy:
    """Return the rules with the levels that `trail_limit`, or a neutral grid, leaves on this ladder; refuses none."""
    if symbol.is_neutral and symbol.price_range is not None:
        return half_of(policy, symbol.price_range, ladder, instrument)
    if symbol.limit is None:
        return policy
    lowest, highest = symbol.limit.levels(ladder, instrument)
    return replace(policy, lowest_level=lowest, highest_level=highest)


def _is_isolated(ladder: SymbolSettings, position: Position | None) -> bool:
    if ladder.margin_type is not None:
        return ladder.margin_type is MarginType.ISOLATED
    return position is not None and position.is_isolated


def _tier(tier: MaintenanceTier) -> Tier:
    return Tier(
        notional_floor=tier.notional_floor,
        notional_cap=tier.notional_cap,
        rate=tier.rate,
        deduction=tier.deduction,
        leverage_max=tier.leverage_max,
    )
