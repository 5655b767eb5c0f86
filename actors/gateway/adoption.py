"""Takes over a position that stood before the first start, as lots that the user lists (trading rule 16)."""

from __future__ import annotations

from decimal import Decimal

from actors.gateway.grids import Grid
from actors.settings.symbol import AdoptedLot
from exchanges.port import Position
from grid.instrument import OffGrid
from grid.lot import Lot
from grid.records import ForeignSet, LotSet, Record
from grid.slot import SlotKey

REASON = "the user listed it under adopted_lots, to be taken over with the position that stood before the first start"


def why_not(grid: Grid, position: Position | None) -> str:
    """Return why the listed lots cannot be this position, empty where they can."""
    held = position.quantity * grid.generation.side.sign if position is not None else 0
    try:
        lots = _lots(grid)
    except OffGrid as error:
        return f"{error}"
    keys = [key for key, _ in lots]
    if twice := sorted({key.level for key in keys if keys.count(key) > 1}):
        prices = ", ".join(str(grid.instrument.price(grid.ladder.price(level))) for level in twice)
        return f"several of adopted_lots belong to one level ({prices}): a level holds one lot, so list them as one"
    for key, lot in lots:
        if grid.generation.side.sign * lot.target <= grid.ladder.at(key.level):
            return f"the target {grid.instrument.price(lot.target)} of a lot is on the losing side of its level"
    listed = sum(lot.quantity for _, lot in lots)
    if listed > held:
        asked, there = grid.instrument.quantity(listed), grid.instrument.quantity(max(held, 0))
        return f"adopted_lots add up to {asked}, and of a {grid.generation.side.value} position the venue holds {there}"
    return ""


def adopted(grid: Grid, position: Position) -> list[Record]:
    """Return what the book is told: each listed lot in its slot, and the rest of the position as foreign."""
    lots = _lots(grid)
    rest = position.quantity - grid.generation.side.sign * sum(lot.quantity for _, lot in lots)
    records: list[Record] = [LotSet(key=key, lot=lot, reason=REASON) for key, lot in lots]
    if rest:
        reason = "it stood before the first start and is not among adopted_lots"
        records.append(ForeignSet(symbol=grid.settings.symbol, quantity=rest, reason=reason))
    return records


def _lots(grid: Grid) -> list[tuple[SlotKey, Lot]]:
    """Return each listed lot with its slot: the level at whose price, or better, it was bought."""
    return [(_key(grid, listed), _lot(grid, listed)) for listed in grid.settings.adopted_lots]


def _key(grid: Grid, listed: AdoptedLot) -> SlotKey:
    return SlotKey(
        symbol=grid.settings.symbol,
        generation=grid.generation.generation,
        level=grid.ladder.floor(_oriented(grid, listed.price)),
    )


def _lot(grid: Grid, listed: AdoptedLot) -> Lot:
    target = grid.ladder.price(_key(grid, listed).level + 1)
    if listed.target is not None:
        target = grid.instrument.ticks(listed.target)
    return Lot(
        quantity=grid.instrument.steps(listed.quantity), cost=listed.price * listed.quantity, target=target, opened_ms=0
    )


def _oriented(grid: Grid, price: Decimal) -> int:
    """Return the price in oriented ticks, rounded down: an average price need not be a whole tick."""
    instrument = grid.instrument
    is_long = grid.generation.side.sign > 0
    return instrument.ticks_floor(price) if is_long else -instrument.ticks_ceil(price)
