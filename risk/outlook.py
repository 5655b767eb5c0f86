"""What a symbol's ladder would become, fill by fill, and what one step of it has to earn. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from risk.liquidation import FullLadder, fills_ahead, full_ladder, liquidation_of, maintenance
from risk.plan import SymbolPlan
from risk.prestart_levels import round_trip_profit

STEP_MIN_TICKS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FillAhead:
    """The symbol once this level has filled too, the price being there. Amounts in quote currency.

    `quantity` is what the level adds, `position` and `cost` are the whole's, both unsigned; `profit` is what one round
    trip at the level earns after maker fees; `liquidation` is None where no price above zero liquidates.
    """

    level: int
    price: Decimal
    quantity: Decimal
    target: Decimal
    profit: Decimal
    position: Decimal
    cost: Decimal
    loss: Decimal
    margin: Decimal
    liquidation: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstPosition:
    """The symbol with every lot bought, the price at the ladder's end."""

    position: Decimal
    cost: Decimal
    price: Decimal
    loss: Decimal
    maintenance: Decimal
    liquidation: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The distance from the nearest level to its target, the smallest that earns its two maker fees, and the rest."""

    level: int
    step: Decimal
    break_even: Decimal
    profit: Decimal

    @property
    def pays(self) -> bool:
        """Whether one round trip at the nearest level earns anything."""
        return self.step >= self.break_even


def fills_to_come(plan: SymbolPlan, wallet: Decimal) -> list[FillAhead]:
    """Return each further fill, nearest first, up to `max_lots`. `wallet` is what others leave to the symbol."""
    found = []
    for level, full in fills_ahead(plan, plan.policy.max_lots):
        quantity = plan.instrument.quantity(plan.quantity(level))
        if not quantity:
            continue
        found.append(
            FillAhead(
                level=level,
                price=full.last_price,
                quantity=quantity,
                target=plan.instrument.price(plan.ladder.price(level + 1)),
                profit=round_trip_profit(plan, level),
                position=full.quantity,
                cost=full.cost,
                loss=_loss(plan, full),
                margin=full.cost / plan.leverage,
                liquidation=liquidation_of(plan, full, wallet),
            )
        )
    return found


def worst_position(plan: SymbolPlan, wallet: Decimal) -> WorstPosition:
    """Return what is held when the price has run through the whole ladder."""
    full = full_ladder(plan, plan.policy.max_lots)
    return WorstPosition(
        position=full.quantity,
        cost=full.cost,
        price=full.last_price,
        loss=_loss(plan, full),
        maintenance=maintenance(plan.tiers, full.last_notional),
        liquidation=liquidation_of(plan, full, wallet),
    )


def first_step(plan: SymbolPlan) -> Step:
    """Return the step at the nearest level at which an entry may rest now."""
    level, instrument = plan.first_index, plan.instrument
    return Step(
        level=level,
        step=instrument.price(plan.ladder.gap(level)),
        break_even=instrument.price(break_even_ticks(plan.ladder.price(level), plan.policy.maker_fee, plan.sign)),
        profit=round_trip_profit(plan, level),
    )


def break_even_ticks(price: int, maker_fee: Decimal, sign: int) -> int:
    """Return the smallest step in ticks that earns more than both maker fees, for an entry at so many ticks.

    The exit lies `step` above the entry (`sign` 1) or under it (-1): step > fee x (2 x price + sign x step).
    """
    bound = 2 * maker_fee * price / (1 - sign * maker_fee)
    return max(STEP_MIN_TICKS, int(bound.to_integral_value(rounding=ROUND_FLOOR)) + 1)


def _loss(plan: SymbolPlan, full: FullLadder) -> Decimal:
    """Return what the position has lost at the ladder's end, fees left out; positive where it lost."""
    return (full.cost - full.last_notional) * plan.sign
