"""Where the venue would liquidate when the price runs through the whole ladder and every lot is bought.

Long: equity at price P is wallet + P x Q - cost; maintenance is P x Q x rate - deduction of the bracket of P x Q;
the two meet at P = (cost - wallet - deduction) / (Q x (1 - rate)). Short: P = (wallet + cost + deduction) /
(Q x (1 + rate)). In cross margin the other symbols share the wallet: each is taken as fully bought at the end of
its own ladder, since coins fall together. Isolated: the wallet is the position's own margin, cost / leverage.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from risk.plan import SymbolPlan, Tier

SAFETY = Decimal("0.05")
"""Liquidation must lie this far beyond the last level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FullLadder:
    """A symbol with all its lots bought. `quantity` in base currency and unsigned; `last_price` is the ladder's end."""

    quantity: Decimal
    cost: Decimal
    last_price: Decimal

    @property
    def last_notional(self) -> Decimal:
        """Return the position's notional at the end of the ladder."""
        return self.quantity * self.last_price


def maintenance(tiers: Sequence[Tier], notional: Decimal) -> Decimal:
    """Return the maintenance margin of a position; beyond the last bracket its rate goes on."""
    tier = tier_of(tiers, notional)
    return notional * tier.rate - tier.deduction


def tier_of(tiers: Sequence[Tier], notional: Decimal) -> Tier:
    """Return the bracket of a notional."""
    ordered = sorted(tiers, key=lambda tier: tier.notional_floor)
    return next((tier for tier in ordered if notional <= tier.notional_cap), ordered[-1])


def full_ladder(plan: SymbolPlan, max_lots: int) -> FullLadder:
    """Return the symbol with the position it has and the rest of `max_lots` bought at consecutive levels."""
    bought = deque(fills_ahead(plan, max_lots), maxlen=1)
    return bought[0][1] if bought else held_now(plan)


def held_now(plan: SymbolPlan) -> FullLadder:
    """Return what the symbol holds before any level below is bought; only what stands on the grid's side counts."""
    held, (opened, cost) = plan.instrument.quantity(max(0, plan.position * plan.sign)), plan.opened
    return FullLadder(
        quantity=held + opened,
        cost=held * plan.entry_price + cost,
        last_price=plan.instrument.price(plan.reference),
    )


def fills_ahead(plan: SymbolPlan, max_lots: int) -> Iterator[tuple[int, FullLadder]]:
    """Yield each level that can still fill, nearest first, and the symbol with everything up to it bought."""
    instrument, ladder, before = plan.instrument, plan.ladder, held_now(plan)
    quantity, cost = before.quantity, before.cost
    for index in plan.levels_to_buy(max_lots):
        price = ladder.price(index)
        quantity += instrument.quantity(plan.quantity(index))
        cost += instrument.notional(price, plan.quantity(index))
        yield index, FullLadder(quantity=quantity, cost=cost, last_price=instrument.price(price))


def worst_draw(plan: SymbolPlan, max_lots: int) -> Decimal:
    """Return what the symbol takes from a shared wallet at the end of its ladder: loss there plus maintenance.

    Of a grid with two sides, that of the one that takes more.
    """
    return max(_draw(side, max_lots) for side in plan.either)


def _draw(plan: SymbolPlan, max_lots: int) -> Decimal:
    full = full_ladder(plan, max_lots)
    if plan.is_isolated:
        return full.cost / plan.leverage
    loss = (full.cost - full.last_notional) * plan.sign
    return loss + maintenance(plan.tiers, full.last_notional)


def liquidation_price(plan: SymbolPlan, max_lots: int, wallet: Decimal) -> Decimal | None:
    """Return the price, or None where there is none above zero. `wallet` is what others leave to this symbol."""
    return liquidation_of(plan, full_ladder(plan, max_lots), wallet)


def liquidation_of(plan: SymbolPlan, full: FullLadder, wallet: Decimal) -> Decimal | None:
    """Return where a symbol that holds just this is liquidated, None where there is no such price above zero."""
    if not full.quantity:
        return None
    margin = full.cost / plan.leverage if plan.is_isolated else wallet
    ordered = sorted(plan.tiers, key=lambda tier: tier.notional_floor)
    for tier in ordered:
        price = _meeting_point(plan, full, margin, tier)
        notional = price * full.quantity
        is_last = tier is ordered[-1]
        if notional <= tier.notional_cap or is_last:
            return price if price > 0 else None
    return None


def bound(plan: SymbolPlan, max_lots: int) -> Decimal:
    """Return the price that liquidation must lie beyond: the ladder's end and the safety beyond it."""
    return full_ladder(plan, max_lots).last_price * (1 - plan.sign * SAFETY)


def is_inside(plan: SymbolPlan, max_lots: int, wallet: Decimal) -> bool:
    """Whether liquidation lies inside the ladder plus its safety."""
    price = liquidation_price(plan, max_lots, wallet)
    if price is None:
        return full_ladder(plan, max_lots).quantity > 0 and plan.sign < 0
    return (price - bound(plan, max_lots)) * plan.sign >= 0


def wallet_needed(plan: SymbolPlan, max_lots: int) -> Decimal:
    """Return the smallest wallet, net of what others draw, that puts liquidation exactly at the bound."""
    full = full_ladder(plan, max_lots)
    notional = bound(plan, max_lots) * full.quantity
    return (full.cost - notional) * plan.sign + maintenance(plan.tiers, notional)


def lots_that_work(plan: SymbolPlan, wallet: Decimal) -> int:
    """Return the largest `max_lots` up to the configured one whose ladder is safe; 0 where none is."""
    low, high = 0, plan.policy.max_lots
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (low, middle - 1) if is_inside(plan, middle, wallet) else (middle, high)
    return low


def _meeting_point(plan: SymbolPlan, full: FullLadder, margin: Decimal, tier: Tier) -> Decimal:
    if plan.sign > 0:
        return (full.cost - margin - tier.deduction) / (full.quantity * (1 - tier.rate))
    return (margin + full.cost + tier.deduction) / (full.quantity * (1 + tier.rate))
