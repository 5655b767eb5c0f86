"""Per level in reach: does the amount buy a valid order, does a round trip pay, what does the venue dislike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Context, Decimal

from grid.decision import pays
from grid.ladder import Spacing
from grid.policy import MIN_REST_MS
from grid.sizing import smallest_amount
from risk.plan import Finding, Severity, SymbolPlan

DUST_NOTIONAL = Decimal(50)
"""Orders under this count as dust in the venue's quota rules."""
SHRINK_NAMED = Decimal("0.95")
"""Lots under this part of the amount are named at start."""
_REACH_WITHOUT_SELL_WINDOW = 20
_SHORT = Context(prec=10)


def check_levels(plan: SymbolPlan) -> Iterator[Finding]:
    """Return findings on the levels of the window, which refuse, and of the rest of the reach, which warn."""
    first, policy = plan.first_index, plan.policy
    window = [i for i in range(first, first - policy.buy_window, -1) if plan.exists(i)]
    up = policy.sell_window if policy.sell_window is not None else _REACH_WITHOUT_SELL_WINDOW
    above = [i for i in range(first + 1, first + 1 + up) if plan.exists(i)]
    below = [i for i in plan.levels_to_buy(policy.max_lots) if i not in window]
    yield from _check_amount(plan, window, Severity.REFUSE)
    yield from _check_amount(plan, [*above, *below], Severity.WARN)
    yield from _check_profit(plan, window, Severity.REFUSE)
    yield from _check_profit(plan, [*above, *below], Severity.WARN)
    yield from _check_sizes(plan, [*window, *above, *below])
    yield from _check_rest(plan)
    yield from _check_opening(plan)


def round_trip_profit(plan: SymbolPlan, index: int) -> Decimal:
    """Return what one round trip at the level earns after maker fees both ways, in quote currency; may be negative."""
    instrument, ladder, quantity = plan.instrument, plan.ladder, plan.quantity(index)
    gross = instrument.notional(ladder.gap(index), quantity)
    turnover = instrument.notional(abs(ladder.at(index)) + abs(ladder.at(index + 1)), quantity)
    return gross - plan.policy.maker_fee * turnover


def paying_below(plan: SymbolPlan) -> Decimal | None:
    """Return the price under which an arithmetic grid's lower level pays; None where every price does, or by ratio."""
    if plan.policy.maker_fee <= 0 or plan.ladder.spacing is not Spacing.ARITHMETIC:
        return None
    gap = plan.instrument.price(plan.ladder.interval)
    return (gap / plan.policy.maker_fee - plan.sign * gap) / 2


def amount_range(plan: SymbolPlan, price: int) -> tuple[Decimal, Decimal] | None:
    """Return the range of prices without a hole around `price` (ticks) in which the amount buys a valid order.

    n steps are bought from amount / (n + 1) steps (exclusive) to amount / n steps, and are valid from the venue's
    minimum notional / n steps on: where that lies above the former there is a hole. None where `price` is in one.
    """
    instrument, amount = plan.instrument, plan.policy.amount
    at = instrument.price(price)
    steps = int(amount // (at * instrument.step))
    if not max(1, instrument.quantity_min) <= steps <= instrument.quantity_max:
        return None
    if at * instrument.quantity(steps) < instrument.notional_min:
        return None
    # n and n + 1 steps join without a hole where minimum x (n + 1) <= amount x n: from `joined` steps on, all do.
    spare = amount - instrument.notional_min
    joined = -int(-instrument.notional_min // spare) if spare > 0 else None
    low, high_steps = instrument.notional_min / instrument.quantity(steps), steps
    if joined is not None:
        high_steps = min(steps, max(joined, instrument.quantity_min, 1))
        if joined <= steps:
            most = instrument.quantity_max
            low = max(instrument.notional_min / instrument.quantity(most), amount / instrument.quantity(most + 1))
    return low, amount / instrument.quantity(high_steps)


def _check_amount(plan: SymbolPlan, levels: Sequence[int], severity: Severity) -> Iterator[Finding]:
    idle = [index for index in levels if not plan.quantity(index)]
    if not idle:
        return
    prices = _span(plan, idle)
    works = max(smallest_amount(plan.ladder.price(index), plan.instrument) for index in idle)
    reach = amount_range(plan, plan.ladder.price(plan.first_index))
    valid = f"it is valid from {_short(reach[0])} to {_short(reach[1])}; " if reach else ""
    rule = f"buys no valid order at {len(idle)} of {len(levels)} levels ({prices}); {valid}an amount of {works} works"
    yield _finding(plan, "amount", str(plan.policy.amount), rule, severity)


def _check_profit(plan: SymbolPlan, levels: Sequence[int], severity: Severity) -> Iterator[Finding]:
    losing = [index for index in levels if not pays(plan.ladder, index, plan.policy.maker_fee)]
    if not losing:
        return
    worst = min(losing, key=lambda index: round_trip_profit(plan, index))
    fee = plan.policy.maker_fee
    if plan.ladder.spacing is Spacing.ARITHMETIC:
        tick = plan.instrument.tick
        top = max(abs(plan.ladder.price(index)) for index in losing)
        # d > fee * (2 L + d), in ticks; the next whole tick above the bound.
        needed = int(2 * fee * top / (1 - fee)) + 1
        below = paying_below(plan)
        rule = f"pays only under {_short(below)}; " if below is not None else ""
        rule += f"an interval of {tick * needed} works"
        key, value = "interval", str(tick * plan.ladder.interval)
    else:
        needed_ratio = (1 + fee) / (1 - fee)
        rule, key, value = f"a ratio above {needed_ratio:.6f} works", "ratio", str(plan.ladder.ratio)
    profit = round_trip_profit(plan, worst)
    lead = f"a round trip earns {profit.normalize():f} after maker fees of {fee:.4%} at {_span(plan, [worst])}; "
    yield _finding(plan, key, value, lead + rule, severity)


def _check_sizes(plan: SymbolPlan, levels: Sequence[int]) -> Iterator[Finding]:
    notional = {i: plan.instrument.notional(plan.ladder.price(i), plan.quantity(i)) for i in levels if plan.quantity(i)}
    if not notional:
        return
    amount = plan.policy.amount
    small = [i for i, value in notional.items() if value < amount * SHRINK_NAMED]
    if small:
        least = min(small, key=lambda i: notional[i])
        less = 1 - notional[least] / amount
        rule = (
            f"rounds down to lots up to {less:.0%} smaller at {len(small)} of {len(levels)} levels "
            f"({_span(plan, small)}): {plan.instrument.quantity(plan.quantity(least))} is {notional[least]} at "
            f"{_span(plan, [least])}; they are at most 5 % smaller from {_short(_even_amount(plan, levels))} on"
        )
        yield _finding(plan, "amount", str(amount), rule, Severity.WARN)
    dust = [i for i, value in notional.items() if value < DUST_NOTIONAL]
    if dust:
        rule = (
            f"orders of {min(notional[i] for i in dust)} to {max(notional[i] for i in dust)} are under {DUST_NOTIONAL} "
            f"and count as dust orders at the venue; an amount of {_short(_amount_over_dust(plan, levels))} works"
        )
        yield _finding(plan, "amount", str(amount), rule, Severity.WARN)


def _even_amount(plan: SymbolPlan, levels: Sequence[int]) -> Decimal:
    # With n steps rounding takes less than one step of n + 1, so twenty steps keep it within 5 %.
    return max(plan.instrument.notional(plan.ladder.price(i), 1) for i in levels) * 20


def _amount_over_dust(plan: SymbolPlan, levels: Sequence[int]) -> Decimal:
    # Rounding down takes less than one step, so one step more than the bound is always enough.
    return DUST_NOTIONAL + max(plan.instrument.notional(plan.ladder.price(i), 1) for i in levels)


def _check_rest(plan: SymbolPlan) -> Iterator[Finding]:
    rest_ms = plan.policy.min_rest_ms
    if rest_ms < MIN_REST_MS:
        needed = f"{MIN_REST_MS / 1000:g}"
        rule = f"post-only orders cancelled within {needed} s count against the account; {needed} works"
        yield _finding(plan, "min_rest_s", f"{rest_ms / 1000:g}", rule, Severity.WARN)


def _check_opening(plan: SymbolPlan) -> Iterator[Finding]:
    """Name a first lot whose way to its target does not earn what taking it costs."""
    if not plan.opening:
        return
    paid, target = abs(plan.reference), abs(plan.ladder.price(plan.opening[0] + 1))
    cost = plan.taker_fee * paid + plan.policy.maker_fee * target
    earned = (target - paid) * plan.sign - cost
    if earned < 0:
        loss = (-earned * plan.instrument.tick).normalize()
        rule = (
            f"the lot of the nearest level loses {loss:f} a coin at its target, since it is bought at the taker fee of "
            f"{plan.taker_fee:.4%}; a step above {(cost * plan.instrument.tick).normalize():f} works"
        )
        yield _finding(plan, "open_position", f"{len(plan.opening)} levels", rule, Severity.WARN)


def _span(plan: SymbolPlan, levels: Sequence[int]) -> str:
    prices = [plan.instrument.price(plan.ladder.price(index)) for index in levels]
    low, high = min(prices), max(prices)
    return str(low) if low == high else f"{low} to {high}"


def _short(value: Decimal) -> str:
    return f"{_SHORT.plus(value).normalize():f}"


def _finding(plan: SymbolPlan, key: str, value: str, rule: str, severity: Severity) -> Finding:
    return Finding(key=f"symbols[{plan.symbol}].{key}", value=value, rule=rule, severity=severity)
