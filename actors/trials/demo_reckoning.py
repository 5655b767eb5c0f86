"""After a run at a simulated venue: the book against the venue's own truth, order by order and to the last decimal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from actors.settings.account import Settings
from actors.trials.journal_order import entries_under_a_hold
from grid.client_id import ClientId, decode
from grid.records import Record

TIE = Decimal("0.000001")
"""The venue rounds its average entry price to eight decimals; our cash flow is exact."""
OPEN = ("NEW", "PARTIALLY_FILLED")


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolReckoning:
    """One symbol's part."""

    symbol: str
    fills: int
    round_trips: int
    profit: Decimal
    fees: Decimal
    lots: int
    book_position: Decimal
    venue_position: Decimal

    def cells(self) -> list[object]:
        """Return the row that people see."""
        return [
            self.fills,
            self.round_trips,
            f"{self.profit:.6f}",
            f"{self.fees:.6f}",
            self.lots,
            self.book_position,
            self.venue_position,
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """What the run did, and every rule that it broke."""

    seconds: float
    symbols: tuple[SymbolReckoning, ...]
    orders_placed: int
    orders_cancelled: int
    open_own_orders: int
    duplicate_orders: int
    halts: int
    recoveries: int
    checks: tuple[tuple[str, tuple[str, ...]], ...]
    """Each invariant by its name, with a sentence for every breach."""

    @property
    def violations(self) -> tuple[str, ...]:
        """Return all breaches."""
        return tuple(sentence for _, found in self.checks for sentence in found)

    def document(self) -> dict[str, Any]:
        """Return the result for programs."""
        return {
            "symbols": [symbol.symbol for symbol in self.symbols],
            "seconds": round(self.seconds, 1),
            "orders_placed": self.orders_placed,
            "orders_cancelled": self.orders_cancelled,
            "fills": sum(symbol.fills for symbol in self.symbols),
            "round_trips": sum(symbol.round_trips for symbol in self.symbols),
            "realised_profit": str(sum((symbol.profit for symbol in self.symbols), Decimal(0))),
            "fees": str(sum((symbol.fees for symbol in self.symbols), Decimal(0))),
            "open_own_orders": self.open_own_orders,
            "position_matches": all(s.book_position == s.venue_position for s in self.symbols),
            "duplicate_orders": self.duplicate_orders,
            "halts": self.halts,
            "recoveries": self.recoveries,
            "violations": list(self.violations),
        }


def reckon(
    last: Mapping[str, Any],
    truth: Mapping[str, Any],
    settings: Settings,
    seconds: float,
    *,
    records: Iterable[Record],
) -> Reckoning:
    """Compare the deployment's last word with the venue's truth. `records`: its journal, read after the truth was."""
    account = truth["accounts"]["main"]
    final = last.get("final", {})
    orders = [(row, identity) for row in account["orders"] if (identity := _own(row)) is not None]
    symbols = tuple(_symbol(s.symbol, final, account) for s in settings.symbols)
    spans = list(_halts(final.get("notices", [])))
    doubled = sum(1 for _ in _overlaps(orders))
    left = sum(1 for row, _ in orders if row["status"] in OPEN) + len(_own_stops(account))
    held = entries_under_a_hold(records)
    checks = tuple((name, tuple(found)) for name, found in _checks(last, final, account, symbols, orders, held))
    return Reckoning(
        seconds=seconds,
        symbols=symbols,
        orders_placed=len(orders),
        orders_cancelled=sum(1 for row, _ in orders if row["status"] == "CANCELED"),
        open_own_orders=left,
        duplicate_orders=doubled,
        halts=len(spans),
        recoveries=sum(1 for _, end in spans if end is not None),
        checks=checks,
    )


def _checks(
    last: Mapping[str, Any],
    final: Mapping[str, Any],
    account: Mapping[str, Any],
    symbols: tuple[SymbolReckoning, ...],
    orders: list[tuple[Mapping[str, Any], ClientId]],
    held: Iterator[str],
) -> Iterator[tuple[str, Iterable[str]]]:
    """Yield each invariant by its name, with a sentence for every breach."""
    is_verified = last.get("state") == "stopped" and final.get("verified")
    yield (
        "the stop was verified at the venue",
        () if is_verified else ("the stop was not verified: own orders may be left at the venue",),
    )
    yield (
        "no own order is left",
        [
            *(f"own order {row['clientOrderId']} is still open" for row, _ in orders if row["status"] in OPEN),
            *(f"own stop {row['clientAlgoId']} still waits" for row in _own_stops(account)),
        ],
    )
    yield "no level had two orders at a time", _overlaps(orders)
    reused = account["counts"]["duplicateClientIds"].items()
    yield "no client id was used twice", (f"client id {one} was used {times} times" for one, times in reused)
    yield (
        "the book's position is the venue's",
        (
            f"{one.symbol}: the book holds {one.book_position}, the venue {one.venue_position}"
            for one in symbols
            if one.book_position != one.venue_position
        ),
    )
    yield "every fill is booked once", _fills_not_booked(final, account)
    yield "equity ties to the last decimal", _money(final, account)
    yield "no entry was placed under a hold", held
    yield "every closing order could only close", _opening_exits(orders)


def _opening_exits(orders: list[tuple[Mapping[str, Any], ClientId]]) -> Iterator[str]:
    for row, identity in orders:
        if identity.purpose.closing and not row["reduceOnly"]:
            yield f"closing order {row['clientOrderId']} was not reduce-only"


def _symbol(name: str, final: Mapping[str, Any], account: Mapping[str, Any]) -> SymbolReckoning:
    picture = final.get("symbols", {}).get(name, {})
    position = account["positions"].get(name, {}).get("quantity", "0")
    return SymbolReckoning(
        symbol=name,
        fills=picture.get("entry_fills", 0) + picture.get("exit_fills", 0),
        round_trips=picture.get("round_trips", 0),
        profit=Decimal(picture.get("grid_profit", "0")),
        fees=sum((Decimal(amount) for amount in picture.get("fees", {}).values()), Decimal(0)),
        lots=picture.get("lots", 0),
        book_position=Decimal(picture.get("position", "0")),
        venue_position=Decimal(position),
    )


def _own(row: Mapping[str, Any]) -> ClientId | None:
    return decode(row["clientOrderId"], row["symbol"])


def _own_stops(account: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return our conditional orders that wait: the venue keeps them apart from its orders."""
    waiting = [row for row in account.get("algoOrders", []) if row["algoStatus"] == "NEW"]
    return [row for row in waiting if decode(row["clientAlgoId"], row["symbol"]) is not None]


def _overlaps(orders: list[tuple[Mapping[str, Any], ClientId]]) -> Iterator[str]:
    """Yield each order that lived while another of its slot did: two live orders in one slot is a doubled order."""
    slots: dict[tuple[str, int, int], list[Mapping[str, Any]]] = defaultdict(list)
    for row, identity in orders:
        if identity.purpose.is_of_slot:
            slots[(identity.symbol, identity.generation, identity.level)].append(row)
    for (symbol, _, level), rows in slots.items():
        rows.sort(key=lambda row: (row["time"], row["orderId"]))
        for former, later in pairwise(rows):
            ended = former["updateTime"] if former["status"] not in OPEN else float("inf")
            if later["time"] < ended:
                yield f"{symbol} level {level}: {later['clientOrderId']} before {former['clientOrderId']} had ended"


def _fills_not_booked(final: Mapping[str, Any], account: Mapping[str, Any]) -> Iterator[str]:
    """Yield where the number of the venue's fills of own orders is not the book's: one lost, or one booked twice."""
    at_venue: dict[str, int] = defaultdict(int)
    for fill in account["fills"]:
        if decode(fill["clientOrderId"], fill["symbol"]) is not None:
            at_venue[fill["symbol"]] += 1
    for name, picture in final.get("symbols", {}).items():
        booked = picture["entry_fills"] + picture["exit_fills"]
        if booked != at_venue[name]:
            yield f"{name}: the venue has {at_venue[name]} fills of own orders, the book {booked}"


def _money(final: Mapping[str, Any], account: Mapping[str, Any]) -> Iterator[str]:
    """Yield where equity does not tie: deposit + our total at the venue's mark = wallet + unrealised at that mark."""
    income = account["income"]
    deposit = sum((Decimal(row["income"]) for row in income if row["incomeType"] == "TRANSFER"), Decimal(0))
    ours = deposit
    for name, picture in final.get("symbols", {}).items():
        mark = Decimal(account["positions"].get(name, {}).get("markPrice", "0"))
        sign = 1 if picture["lots_side"] == "long" else -1
        lots = sign * (mark * Decimal(picture["lot_quantity"]) - Decimal(picture["lot_cost"]))
        fees = sum((Decimal(amount) for amount in picture["fees"].values()), Decimal(0))
        ours += Decimal(picture["grid_profit_gross"]) - fees + Decimal(picture["funding"]) + lots
    venue = Decimal(account["wallet"]["USDT"]) + Decimal(account["unrealised"])
    if abs(ours - venue) > TIE:
        yield f"equity: by our book {ours}, by the venue {venue}"


def _halts(notices: list[Mapping[str, Any]]) -> Iterator[tuple[int, int | None]]:
    """Yield (begin, end) in ms of each hold by risk; end is None where it was never lifted."""
    begun: int | None = None
    for notice in notices:
        if notice["kind"] == "hold" and notice["text"].startswith("hold risk"):
            begun = notice["at_ms"]
        elif notice["kind"] == "lifted" and notice["text"].startswith("hold risk") and begun is not None:
            yield begun, notice["at_ms"]
            begun = None
    if begun is not None:
        yield begun, None
