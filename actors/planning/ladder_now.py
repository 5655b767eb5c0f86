"""The orders that a start would want at this very price, by the rules that decide them when it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from actors.gateway.grids import Grid
from exchanges.desk.core import has_older_lot
from grid.decision import Decision, Place, Stay, Surroundings, Withdraw, decide
from grid.ladder import Ladder
from grid.order import Purpose, Side
from grid.reasons import Reason
from grid.slot import SlotKey, SlotState
from grid.symbol_book import SymbolBook
from grid.window import Window
from risk.limits import Admitted, Candidate, Idle, RestingOrder, Standing, admit


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelNow:
    """One level of the ladder. Price and target in ticks, quantity in steps; `rests` where an order would rest."""

    key: SlotKey
    purpose: Purpose
    side: Side
    price: int
    quantity: int
    target: int
    rests: bool
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What all levels of a symbol share: the order cap, and what of the account's notional is left."""

    order_cap: int
    notional_spent: Decimal
    notional_max: Decimal
    opened: int = 0
    """Lots that a new grid begins with; what they cost is in `notional_spent`."""


def ladder_now(grid: Grid, book: SymbolBook, reference: int, bounds: Bounds, now_ms: int) -> list[LevelNow]:
    """Return exits from the nearest on, then entries from the nearest on; those that wait say why.

    `reference` is the best bid in ticks (the best ask for a short grid), `book` one that knows the grid's generation.
    """
    sign, ladder = grid.generation.side.sign, grid.ladder
    window = Window(ladder, grid.policy)
    view = window.on_price(sign * reference, now_ms).view
    reach = range(view.top, view.top - grid.policy.buy_window, -1)
    fresh = [SlotKey(symbol=book.symbol, generation=ladder.generation, level=level) for level in reach]
    held = [key for key, slot in book.slots.items() if key not in fresh and (slot.lot or slot.order)]
    found = []
    for key in [*fresh, *held]:
        around = Surroundings(
            ladder=ladder,
            policy=grid.policy,
            instrument=grid.instrument,
            view=view,
            holds=(),
            has_older_lot=has_older_lot(book, key),
            now_ms=now_ms,
        )
        slot = book.slot(key)
        found.append(_level(slot, decide(slot, around), book.ladders[key.generation]))
    exits = sorted((level for level in found if level.purpose.closing), key=lambda one: sign * one.price)
    entries = sorted((level for level in found if not level.purpose.closing), key=lambda one: -sign * one.price)
    return _admitted([*exits, *entries], grid, book, reference, bounds)


def committed(levels: Sequence[LevelNow], grid: Grid, book: SymbolBook) -> Decimal:
    """Return what the symbol commits of the account's notional: lots at cost, and the entries that would rest."""
    lots = sum((lot.cost for _, lot in book.lots()), Decimal(0))
    entries = (one for one in levels if one.rests and not one.purpose.closing)
    return lots + sum((grid.instrument.notional(one.price, one.quantity) for one in entries), Decimal(0))


def _level(slot: SlotState, decision: Decision, ladder: Ladder) -> LevelNow:
    opening, key = ladder.side.entry_side, slot.key
    if isinstance(decision, Place):
        side = opening.other if decision.purpose.closing else opening
        return LevelNow(
            key=key,
            purpose=decision.purpose,
            side=side,
            price=decision.price,
            quantity=decision.quantity,
            target=decision.target,
            rests=True,
            reason=decision.reason,
        )
    if slot.order is not None:
        return LevelNow(
            key=key,
            purpose=slot.order.purpose,
            side=slot.order.side,
            price=slot.order.price,
            quantity=slot.order.quantity - slot.order.filled,
            target=slot.order.target,
            rests=not isinstance(decision, Withdraw),
            reason=decision.reason,
        )
    detail = decision.detail if isinstance(decision, Stay) else ""
    lot = slot.lot
    return LevelNow(
        key=key,
        purpose=Purpose.ENTRY if lot is None else Purpose.EXIT,
        side=opening if lot is None else opening.other,
        price=ladder.price(key.level) if lot is None else lot.target,
        quantity=0 if lot is None else lot.quantity,
        target=ladder.price(key.level + 1) if lot is None else lot.target,
        rests=False,
        reason=decision.reason,
        detail=detail,
    )


def _admitted(
    levels: Sequence[LevelNow], grid: Grid, book: SymbolBook, reference: int, bounds: Bounds
) -> list[LevelNow]:
    """Ask the caps for each, in the order in which they rank: what they refuse waits."""
    resting: list[RestingOrder] = []
    lots = bounds.opened + sum(1 for _ in book.lots())
    spent = bounds.notional_spent + sum((lot.cost for _, lot in book.lots()), Decimal(0))
    found = []
    for level in levels:
        if not level.rests:
            found.append(level)
            continue
        notional = grid.instrument.notional(level.price, level.quantity)
        candidate = Candidate(price=level.price, closing=level.purpose.closing, notional=notional)
        standing = Standing(
            reference=reference,
            resting=resting,
            lots=lots,
            max_lots=grid.policy.max_lots,
            order_cap=bounds.order_cap,
            account_notional=spent,
            account_notional_max=bounds.notional_max,
        )
        verdict = admit(candidate, standing)
        if isinstance(verdict, Admitted):
            name = f"{level.purpose.value} {level.key.level}"
            order = RestingOrder(client_id=name, price=level.price, closing=candidate.closing, notional=notional)
            resting.append(order)
            spent += Decimal(0) if candidate.closing else notional
            found.append(level)
        else:
            found.append(_waiting(level, verdict if isinstance(verdict, Idle) else None))
    return found


def _waiting(level: LevelNow, idle: Idle | None) -> LevelNow:
    return LevelNow(
        key=level.key,
        purpose=level.purpose,
        side=level.side,
        price=level.price,
        quantity=level.quantity,
        target=level.target,
        rests=False,
        reason=idle.reason if idle is not None else Reason.ORDER_CAP,
        detail=idle.text if idle is not None else "",
    )
