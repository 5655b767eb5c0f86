"""The checks before a start, done also when a position exists: it counts into the ladder.

Every finding names a number that works. Any finding of severity REFUSE stops the start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from risk.liquidation import (
    bound,
    full_ladder,
    is_inside,
    liquidation_price,
    lots_that_work,
    maintenance,
    tier_of,
    wallet_needed,
    worst_draw,
)
from risk.plan import AccountPlan, Finding, Severity, SymbolPlan
from risk.prestart_levels import check_levels

MARGIN_FACTOR = Decimal("1.2")
_CENT = Decimal("0.01")
_SHORT = Context(prec=8)


def check_start(account: AccountPlan, symbols: Sequence[SymbolPlan]) -> list[Finding]:
    """Return everything found, refusals first; of grids with two sides, what is found on either."""
    found = _check_sides(account, symbols)
    if any(plan.other is not None for plan in symbols):
        said = {finding.sentence for finding in found}
        turned = [plan.other or plan for plan in symbols]
        found += [one for one in _check_sides(account, turned) if one.sentence not in said]
    return sorted(found, key=lambda finding: finding.severity is not Severity.REFUSE)


def _check_sides(account: AccountPlan, symbols: Sequence[SymbolPlan]) -> list[Finding]:
    found = [*_check_modes(account), *_check_margin(account, symbols), *_check_capacity(account, symbols)]
    for plan in symbols:
        found += _check_leverage(account, plan)
        found += _check_position(plan)
        found += _check_liquidation(account, plan, [other for other in symbols if other is not plan])
        found += _check_stop(account, plan, [other for other in symbols if other is not plan])
        found += _check_end_prices(account, plan, [other for other in symbols if other is not plan])
        found += check_levels(plan)
    return found


def required_margin(symbols: Sequence[SymbolPlan]) -> Decimal:
    """Return (sum of max_lots x amount / leverage, plus maintenance margin at the lowest level) x 1.2.

    A position larger than its symbol's `max_lots` counts with its own size. Of two sides the dearer one counts.
    """
    total = Decimal(0)
    for plan in symbols:
        total += max(_margin(side) for side in plan.either)
    return total * MARGIN_FACTOR


def _margin(plan: SymbolPlan) -> Decimal:
    policy, full = plan.policy, full_ladder(plan, plan.policy.max_lots)
    return max(policy.max_lots * policy.amount, full.cost) / plan.leverage + maintenance(plan.tiers, full.last_notional)


def _check_modes(account: AccountPlan) -> Iterator[Finding]:
    if not account.can_trade:
        yield _refuse("account.can_trade", "false", "the key or the account must be allowed to trade futures")
    if not account.is_one_way:
        rule = "one-way mode is needed; set it at the venue (it is never changed from here)"
        yield _refuse("account.position_mode", "hedge", rule)
    if account.is_multi_asset:
        rule = "single-asset mode is needed, since liquidation is computed from one asset; set it at the venue"
        yield _refuse("account.multi_assets_mode", "true", rule)


def _check_margin(account: AccountPlan, symbols: Sequence[SymbolPlan]) -> Iterator[Finding]:
    required = required_margin(symbols)
    if account.balance >= required:
        return
    share = max(account.balance, Decimal(0)) / required
    fewer = ", ".join(f"{plan.symbol} {int(plan.policy.max_lots * share)}" for plan in symbols)
    rule = f"margin of {_up(required)} is required, or max_lots of at most about {fewer}"
    yield _refuse("account.balance", _down(account.balance), rule)


def _check_capacity(account: AccountPlan, symbols: Sequence[SymbolPlan]) -> Iterator[Finding]:
    per_position = sum((plan.policy.amount / plan.leverage for plan in symbols), Decimal(0))
    affordable = int(max(account.balance, Decimal(0)) / per_position) if per_position else 0
    if symbols and affordable < account.required_positions:
        needed = account.required_positions * per_position
        rule = (
            f"{account.required_positions} positions on each symbol need a balance of {_up(needed)}, "
            f"or required_positions of at most {affordable}"
        )
        yield _refuse("risk.required_positions", f"{affordable} affordable", rule)
    wanted = sum((plan.policy.max_lots * plan.policy.amount for plan in symbols), Decimal(0))
    if wanted > account.max_notional:
        rule = f"all max_lots together are {wanted}; entries idle at the cap, {wanted} lets all of them rest"
        yield _warn("account.max_notional", str(account.max_notional), rule)


def _check_leverage(account: AccountPlan, plan: SymbolPlan) -> Iterator[Finding]:
    key = f"symbols[{plan.symbol}].leverage"
    if plan.leverage > account.max_leverage:
        yield _refuse(key, str(plan.leverage), f"at most {account.max_leverage} (risk.max_leverage)")
    full = full_ladder(plan, plan.policy.max_lots)
    allowed = tier_of(plan.tiers, max(full.cost, full.last_notional)).leverage_max
    if plan.leverage > allowed:
        rule = f"a position of {_up(full.cost)} is allowed at a leverage of at most {allowed} by the venue"
        yield _refuse(key, str(plan.leverage), rule)


def _check_position(plan: SymbolPlan) -> Iterator[Finding]:
    key = f"symbols[{plan.symbol}].position"
    size = plan.instrument.quantity(plan.position)
    if plan.position * plan.sign < 0:
        side = plan.ladder.side.value
        yield _refuse(key, str(size), f"stands against the {side} grid; it works at 0 or with the other side")
    elif plan.lots_held >= plan.policy.max_lots:
        rule = f"fills max_lots {plan.policy.max_lots}: nothing is bought; from {plan.lots_held + 1} on it is"
        yield _warn(key, str(size), rule)


def _check_liquidation(account: AccountPlan, plan: SymbolPlan, others: Sequence[SymbolPlan]) -> Iterator[Finding]:
    # Every existing position counts from its entry price, so the wallet without unrealised profit is what stands below.
    taken = sum((worst_draw(other, other.policy.max_lots) for other in others), Decimal(0))
    wallet = account.wallet - taken
    lots = plan.policy.max_lots
    if not is_inside(plan, lots, wallet):
        return
    price = liquidation_price(plan, lots, wallet)
    full = full_ladder(plan, lots)
    shared = f" with {_up(taken)} of the wallet taken by the other symbols" if others else ""
    if plan.is_isolated:
        remedy = f"a leverage of at most {_leverage_that_works(plan)} works"
    else:
        remedy = f"a wallet of {_up(wallet_needed(plan, lots) + taken)} works"
    rule = (
        f"with all of them bought as far as {full.last_price} liquidation lies at {_price(price)}{shared}, "
        f"and has to lie beyond {_price(bound(plan, lots))}; "
        f"max_lots of at most {lots_that_work(plan, wallet)} works, or {remedy}"
    )
    yield _refuse(f"symbols[{plan.symbol}].max_lots", str(lots), rule)


def _check_stop(account: AccountPlan, plan: SymbolPlan, others: Sequence[SymbolPlan]) -> Iterator[Finding]:
    """The exchange-side stop lies beyond the last level, or it sells what the ladder buys, and before liquidation."""
    if plan.stop is None:
        return
    end = full_ladder(plan, plan.policy.max_lots).last_price
    stop = plan.stop.beyond(end, plan.sign)
    name = "price" if plan.stop.price is not None else "distance"
    key, value = f"symbols[{plan.symbol}].exchange_stop.{name}", str(plan.stop.price or plan.stop.distance)
    if (end - stop) * plan.sign <= 0:
        beyond = "below" if plan.sign > 0 else "above"
        yield _refuse(key, value, f"has to lie beyond the ladder: {beyond} {_price(end)}, where max_lots ends")
        return
    taken = sum((worst_draw(other, other.policy.max_lots) for other in others), Decimal(0))
    liquidation = liquidation_price(plan, plan.policy.max_lots, account.wallet - taken)
    if liquidation is not None and (stop - liquidation) * plan.sign <= 0:
        nearest = abs(1 - liquidation / end)
        works = f"a price between {_price(end)} and {_price(liquidation)}"
        if name == "distance":
            works = f"a distance under {_SHORT.plus(nearest):.4f}"
        yield _refuse(key, value, f"lies at {_price(stop)}, beyond liquidation at {_price(liquidation)}; {works} works")


def _check_end_prices(account: AccountPlan, plan: SymbolPlan, others: Sequence[SymbolPlan]) -> Iterator[Finding]:
    """A price that ends the whole grid is named where the mark is there already, refused where liquidation is first."""
    price = plan.instrument.price(plan.reference)
    for key, end, beyond in (
        ("stop_price", plan.stop_price, -plan.sign),
        ("take_profit_price", plan.profit_price, plan.sign),
    ):
        if end is not None and (price - end) * beyond >= 0:
            rule = f"is reached at {_price(price)}: no entry rests, and with stop_sells the lots are sold"
            yield _warn(f"symbols[{plan.symbol}].{key}", str(end), rule)
    if plan.stop_price is None:
        return
    taken = sum((worst_draw(other, other.policy.max_lots) for other in others), Decimal(0))
    liquidation = liquidation_price(plan, plan.policy.max_lots, account.wallet - taken)
    if liquidation is not None and (plan.stop_price - liquidation) * plan.sign <= 0:
        side = "above" if plan.sign > 0 else "below"
        rule = f"lies beyond liquidation with all max_lots; a price {side} {_price(liquidation)} works"
        yield _refuse(f"symbols[{plan.symbol}].stop_price", str(plan.stop_price), rule)


def _leverage_that_works(plan: SymbolPlan) -> int:
    for leverage in range(plan.leverage, 0, -1):
        if not is_inside(replace(plan, leverage=leverage), plan.policy.max_lots, Decimal(0)):
            return leverage
    return 0


def _refuse(key: str, value: str, rule: str) -> Finding:
    return Finding(key=key, value=value, rule=rule, severity=Severity.REFUSE)


def _warn(key: str, value: str, rule: str) -> Finding:
    return Finding(key=key, value=value, rule=rule, severity=Severity.WARN)


def _up(amount: Decimal) -> str:
    return str(amount.quantize(_CENT, rounding=ROUND_CEILING))


def _down(amount: Decimal) -> str:
    return str(amount.quantize(_CENT, rounding=ROUND_FLOOR))


def _price(price: Decimal | None) -> str:
    return "none" if price is None else f"{_SHORT.plus(price).normalize():f}"
