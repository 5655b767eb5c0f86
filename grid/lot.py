"""Lots: what a slot bought, at its true cost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

Fees = tuple[tuple[str, Decimal], ...]
"""Fees by asset, sorted by asset; positive where we paid."""


def add_fees(left: Fees, right: Fees) -> Fees:
    """Return both together, by asset."""
    total = dict(left)
    for asset, amount in right:
        total[asset] = total.get(asset, Decimal(0)) + amount
    return tuple(sorted(total.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """An open quantity of one slot.

    `quantity` in steps, above 0; `cost` is the quote currency paid for it (received, in a short grid), fees apart;
    `target` in plain ticks, written with the first fill and never changed; `fees` and `funding` are its cost beside.
    """

    quantity: int
    cost: Decimal
    target: int
    fees: Fees = ()
    funding: Decimal = Decimal(0)
    opened_ms: int = 0

    def grown(self, quantity: int, cost: Decimal, fees: Fees) -> Lot:
        """Return the lot after a further fill of its entry; the target stays."""
        return replace(self, quantity=self.quantity + quantity, cost=self.cost + cost, fees=add_fees(self.fees, fees))

    def split(self, quantity: int) -> tuple[Lot, Lot | None]:
        """Return what leaves the lot and what stays, cost, fees and funding shared by quantity.

        The parts always add up to the whole exactly: the part that stays carries the rounding.
        """
        if not 0 < quantity <= self.quantity:
            raise ValueError(f"cannot take {quantity} of a lot of {self.quantity} steps")
        if quantity == self.quantity:
            return self, None
        cost = share(self.cost, quantity, self.quantity)
        fees = tuple((asset, share(amount, quantity, self.quantity)) for asset, amount in self.fees)
        funding = share(self.funding, quantity, self.quantity)
        leaving = replace(self, quantity=quantity, cost=cost, fees=fees, funding=funding)
        staying = replace(
            self,
            quantity=self.quantity - quantity,
            cost=self.cost - cost,
            fees=add_fees(self.fees, tuple((asset, -amount) for asset, amount in fees)),
            funding=self.funding - funding,
        )
        return leaving, staying


def merge(lots: list[Lot]) -> tuple[int, Decimal]:
    """Return quantity in steps and cost of all the lots together."""
    return sum(lot.quantity for lot in lots), sum((lot.cost for lot in lots), Decimal(0))


_SMALLEST = Decimal("1e-12")


def share(whole: Decimal, part: int, total: int) -> Decimal:
    """Return the part's share of an amount, to 1e-12; all of it, untouched, where the part is the total."""
    if part == total:
        return whole
    exact = whole * part / total
    return exact.quantize(_SMALLEST, rounding=ROUND_HALF_EVEN)
