"""What a start intends, as the pre-start checks see it, and what they find."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from grid.instrument import Instrument
from grid.ladder import GridSide, Ladder
from grid.opening import order_of
from grid.policy import GridPolicy
from grid.sizing import entry_quantity
from risk.stop_rule import StopRule


class Severity(Enum):
    """Whether a finding stops the start."""

    REFUSE = "refuse"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found. `rule` is a clause that says what is needed, and names a number that would work."""

    key: str
    value: str
    rule: str
    severity: Severity

    @property
    def sentence(self) -> str:
        """Return the finding for people."""
        return f"{self.key} = {self.value}: {self.rule}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One bracket of maintenance margin: `notional` x `rate` - `deduction`, from `notional_floor` to `notional_cap`."""

    notional_floor: Decimal
    notional_cap: Decimal
    rate: Decimal
    deduction: Decimal
    leverage_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPlan:
    """The account as read just now, and the account-wide limits of the configuration. Amounts in the quote asset."""

    wallet: Decimal
    unrealised: Decimal
    is_one_way: bool
    is_multi_asset: bool
    can_trade: bool
    max_leverage: int
    required_positions: int
    max_notional: Decimal

    @property
    def balance(self) -> Decimal:
        """Return what the account is worth now: wallet plus unrealised profit."""
        return self.wallet + self.unrealised


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolPlan:
    """One symbol's grid. `reference` is the best bid in ticks (ask for a short grid); `position` in signed steps."""

    instrument: Instrument
    policy: GridPolicy
    ladder: Ladder
    reference: int
    leverage: int
    is_isolated: bool
    taker_fee: Decimal
    tiers: tuple[Tier, ...]
    position: int = 0
    entry_price: Decimal = Decimal(0)
    stop: StopRule | None = None
    stop_price: Decimal | None = None
    profit_price: Decimal | None = None
    opening: tuple[int, ...] = ()
    """Levels over the price that are bought at once, up to `opening_limit` (plain ticks)."""
    opening_limit: int = 0
    other: SymbolPlan | None = None
    """A neutral grid's other side: it holds nothing while this one works, and later may."""

    @property
    def symbol(self) -> str:
        """Return the symbol's name at the venue."""
        return self.instrument.symbol

    @property
    def sign(self) -> int:
        """Return +1 for a long grid, -1 for a short one."""
        return 1 if self.ladder.side is GridSide.LONG else -1

    @property
    def first_index(self) -> int:
        """Return c, the nearest level at which an entry may rest now."""
        return self.policy.nearest(self.ladder.ceiling_for_entries(self.sign * self.reference))

    @property
    def either(self) -> tuple[SymbolPlan, ...]:
        """Return the sides of the grid, the one that works first."""
        return (self,) if self.other is None else (self, self.other)

    def exists(self, index: int) -> bool:
        """Whether the level is one of the grid's, and lies within the venue's prices."""
        return (
            self.policy.has(index)
            and max(1, self.instrument.price_min) <= self.ladder.price(index) <= self.instrument.price_max
        )

    def quantity(self, index: int) -> int:
        """Return q(i) in steps, 0 where the amount buys no valid order there."""
        return entry_quantity(self.policy.amount, self.ladder.price(index), self.instrument)

    @property
    def lots_held(self) -> int:
        """Return how many lots the position on the grid's side amounts to, rounded up."""
        held = max(0, self.position * self.sign)
        return -(-held // max(1, self.quantity(self.first_index))) + len(self.opening)

    @property
    def opened(self) -> tuple[Decimal, Decimal]:
        """Return quantity and cost of the position that a new grid begins with, at the worst price that it may pay."""
        orders = [
            order_of(level, self.ladder, self.policy, self.instrument, self.opening_limit) for level in self.opening
        ]
        known = [order for order in orders if order is not None]
        steps = sum(quantity for _, quantity in known)
        cost = sum((self.instrument.notional(price, quantity) for price, quantity in known), Decimal(0))
        return self.instrument.quantity(steps), cost

    def levels_to_buy(self, max_lots: int) -> list[int]:
        """Return the consecutive levels that can still fill when the price runs against the grid, nearest first."""
        count = max(0, max_lots - self.lots_held)
        first = self.first_index
        return [index for index in range(first, first - count, -1) if self.exists(index)]
