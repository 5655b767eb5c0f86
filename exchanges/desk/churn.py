"""How much is cancelled and placed again for each fill: what limits make of a grid (trading rule 11)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from grid.order import OrderStatus, Purpose
from grid.records import FillBooked, OrderEnded, OrderIntended, Record
from grid.slot import SlotKey
from grid.symbol_book import OrderEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class ChurnReading:
    """Counts of one symbol since the desk began. `replaced`: placed at a level whose last such order was cancelled."""

    cancelled: int
    replaced: int
    fills: int

    @property
    def ratio(self) -> Decimal | None:
        """Return cancels and replacements for each fill, None before the first fill."""
        return Decimal(self.cancelled + self.replaced) / self.fills if self.fills else None


@dataclass(slots=True)
class _Counts:
    cancelled: int = 0
    replaced: int = 0
    fills: int = 0
    open_again: set[tuple[SlotKey, Purpose]] = field(default_factory=set)
    """Levels whose last order of a kind was cancelled: as many as there are slots."""


class Churn:
    """Listens to what the desk records."""

    def __init__(self) -> None:
        self._counts: dict[str, _Counts] = defaultdict(_Counts)

    def note(self, record: Record, order: OrderEntry | None) -> None:
        """Count one record; `order` is the one of ours that it is about."""
        if order is None:
            return
        counts = self._counts[order.symbol]
        match record:
            case FillBooked():
                counts.fills += 1
            case OrderEnded(status=OrderStatus.CANCELED):
                counts.cancelled += 1
                if order.key is not None:
                    counts.open_again.add((order.key, order.purpose))
            case OrderIntended(key=SlotKey() as key, purpose=purpose) if (key, purpose) in counts.open_again:
                counts.open_again.discard((key, purpose))
                counts.replaced += 1
            case _:
                pass

    def reading(self, symbol: str) -> ChurnReading:
        """Return the symbol's counts."""
        counts = self._counts[symbol]
        return ChurnReading(cancelled=counts.cancelled, replaced=counts.replaced, fills=counts.fills)
