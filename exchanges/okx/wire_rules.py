"""The list of swaps to contracts, and the limits that the venue's documents state."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.errors import BadReply
from exchanges.okx.contracts import Contract, Contracts
from exchanges.port import RateWindow
from grid.instrument import Instrument

UNIT_MIN = Decimal("1e-12")
PRICE_MAX = Decimal("1e12")
"""The venue states no largest price: its limit moves with the market and is judged there (51006)."""
WINDOWS = (
    RateWindow(kind="orders", interval_ms=2000, limit=60),
    RateWindow(kind="weight", interval_ms=2000, limit=60),
)
"""60 orders in 2 s are allowed on each instrument and 1,000 on the account; kept is the smaller, for all together."""
PAGE = 100
"""Most rows of a list in one answer."""
RETENTION_MS = 2 * 3600 * 1000
"""Orders cancelled without a fill are told for so long."""


def rows(reply: Any, where: str) -> list[wire.Row]:
    """Return the rows of a reply."""
    body = wire.mapping(reply, where)
    return [wire.mapping(row, where) for row in wire.sequence(body.get("data"), f"{where}.data")]


def only_row(reply: Any, where: str) -> wire.Row:
    """Return the row of a reply that has exactly one."""
    found = rows(reply, where)
    if len(found) != 1:
        raise BadReply(f"{where}.data: expected one row, got {len(found)}")
    return found[0]


def contracts(reply: Any) -> Contracts:
    """Return the linear swaps; one that is not yet listed has no sizes and is left out until it has."""
    found: dict[str, Contract] = {}
    others: set[str] = set()
    for row in rows(reply, "instruments"):
        if row.get("ctType") != "linear":
            others.add(wire.text(row, "instId", "instruments"))
        elif row.get("state") == "live" or (row.get("tickSz") and row.get("ctVal") and row.get("lotSz")):
            one = contract(row)
            found[one.symbol] = one
    return Contracts.of(found, others=frozenset(others))


def contract(row: wire.Row) -> Contract:
    """Return one swap's rules, in base currency."""
    inst_id = wire.text(row, "instId", "instruments")
    family = str(row.get("instFamily") or row.get("uly") or "")
    base, _, quote = family.partition("-")
    if inst_id != f"{family}-SWAP" or not base or not quote:
        raise BadReply(f"instruments.instId: {inst_id} is no swap of the family {wire.shown(family)}")
    lot, tick = _unit(row, "lotSz", inst_id), _unit(row, "tickSz", inst_id)
    value = _unit(row, "ctVal", inst_id) * wire.exact(row.get("ctMult") or "1", f"{inst_id}.ctMult")
    code = row.get("instIdCode")
    return Contract(
        instrument=Instrument(
            symbol=f"{base}{quote}",
            base=base,
            quote=quote,
            tick=tick,
            step=lot * value,
            price_min=1,
            price_max=int(PRICE_MAX // tick),
            quantity_min=max(1, wire.parts(wire.decimal(row, "minSz", inst_id), lot)),
            quantity_max=int(wire.decimal(row, "maxLmtSz", inst_id) // lot),
            notional_min=Decimal(0),
            trading=wire.text(row, "state", inst_id) == "live",
        ),
        inst_id=inst_id,
        code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        family=family,
        fee_group=str(row.get("groupId", "")),
        lot=lot,
        value=value,
    )


def _unit(row: wire.Row, key: str, inst_id: str) -> Decimal:
    unit = wire.decimal(row, key, inst_id)
    if unit < UNIT_MIN:
        raise BadReply(f"{inst_id}.{key}: expected at least {UNIT_MIN:f}, got {unit}")
    return unit
