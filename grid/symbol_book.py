"""One symbol's part of the book: its slots, lots, orders' ends and money."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from grid.errors import GridmeshError
from grid.kind_records import OpeningSet, TriggerSet
from grid.ladder import GridSide, Ladder
from grid.ledger import Ledger, MutableTotals
from grid.lot import Lot
from grid.order import OrderStatus, Purpose, Side
from grid.records import GenerationStarted
from grid.slot import SlotKey, SlotState
from grid.stop import StopEntry


@dataclass(slots=True, kw_only=True)
class OrderEntry:
    """An order of ours, from intent to end and beyond: late fills still find it. Quantities in steps."""

    client_id: str
    symbol: str
    key: SlotKey | None
    purpose: Purpose
    side: Side
    price: int
    quantity: int
    target: int
    at_ms: int
    order_id: str = ""
    booked: int = 0
    final: int | None = None
    status: OrderStatus | None = None
    by_venue: bool = False
    is_over: bool = False
    is_attached: bool = True
    """Whether it is its slot's one order; a stray of ours is only watched until it is gone."""
    closes: tuple[SlotKey, ...] = ()
    """The slots whose lots an order of the symbol's desk sells, in this order."""

    @property
    def missing(self) -> int:
        """Return how much the venue says was executed and we hold no fill for."""
        return max(0, (self.final or 0) - self.booked)


@dataclass(slots=True)
class SymbolBook:
    """Everything of one symbol."""

    symbol: str
    generations: dict[int, GenerationStarted] = field(default_factory=dict)
    ladders: dict[int, Ladder] = field(default_factory=dict)
    slots: dict[SlotKey, SlotState] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    foreign: int = 0
    unnamed: OrderedDict[str, int] = field(default_factory=OrderedDict)
    """The venue's ids of foreign orders of which only trades without a client id are known, with the trade's time."""
    income: OrderedDict[str, None] = field(default_factory=OrderedDict)
    last_fill_ms: int = 0
    trades_ms: int = 0
    """Up to this venue time every trade was read and booked (0: never)."""
    forgotten_ms: int = 0
    """Venue time of the newest fill that counts and is not remembered by itself: older ones cannot be told from new."""
    totals: MutableTotals = field(default_factory=MutableTotals)
    stop: StopEntry | None = None
    """Our exchange-side stop while it may live, or may still sell."""
    trigger: TriggerSet | None = None
    """The mark price that the grid waits for, or has come to; None where it had none."""
    opening: OpeningSet | None = None
    """What the grid still buys of the position that it begins with; None where it begins with none."""
    present: int | None = None
    """The generation that a neutral grid works on; None: the newest."""
    turns: int = 0
    """How often it has turned around, its first side counted."""

    @property
    def generation(self) -> GenerationStarted:
        """Return the current generation; raises `GridmeshError` before the first."""
        if not self.generations:
            raise GridmeshError(f"{self.symbol}: no generation in the journal")
        return self.generations[self.present if self.present is not None else max(self.generations)]

    @property
    def others(self) -> tuple[GenerationStarted, ...]:
        """Return the generations besides the current one, oldest first."""
        present = self.generation.generation if self.generations else None
        return tuple(self.generations[number] for number in sorted(self.generations) if number != present)

    @property
    def ladder(self) -> Ladder:
        """Return the levels of the current generation."""
        return self.ladders[self.generation.generation]

    @property
    def sign(self) -> int:
        """Return +1 where the grid is long and -1 where it is short; of a neutral one by the side that works."""
        return self.generation.side.sign

    def side_of(self, key: SlotKey) -> GridSide:
        """Return the side of a slot: that of its own ladder, whichever works at present."""
        ladder = self.ladders.get(key.generation)
        return ladder.side if ladder is not None else self.generation.side

    def is_of_present_side(self, key: SlotKey) -> bool:
        """Whether the slot lies on the side that works."""
        return len(self.ladders) < 2 or self.side_of(key) is self.generation.side

    @property
    def held_sign(self) -> int:
        """Return the sign of the lots, which are all of one side (`booking.py`); without any, that of the grid."""
        if len(self.ladders) < 2:
            return self.sign
        key = next((key for key, _ in self.lots()), None)
        return self.sign if key is None else self.side_of(key).sign

    def lots(self) -> Iterator[tuple[SlotKey, Lot]]:
        """Yield every lot with its slot."""
        return ((key, slot.lot) for key, slot in self.slots.items() if slot.lot is not None)

    def lot_steps(self) -> int:
        """Return the sum of all lots in steps, unsigned."""
        return sum(lot.quantity for _, lot in self.lots())

    def expected_position(self) -> int:
        """Return what the venue's position must be: signed lots plus foreign."""
        return self.held_sign * self.lot_steps() + self.foreign

    def slot(self, key: SlotKey) -> SlotState:
        """Return the slot's state; an untouched slot is free and empty."""
        return self.slots.get(key) or SlotState(key=key)

    def lots_from_the_top(self) -> list[tuple[SlotKey, Lot]]:
        """Return the lots, the one with the highest oriented target first (rule 21)."""
        sign = self.held_sign
        return sorted(self.lots(), key=lambda pair: (-sign * pair[1].target, pair[0]))
