"""Positions that the venue's list has not: it lists none that is flat, so what it says elsewhere makes them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from exchanges.errors import BadReply
from exchanges.okx import wire_account
from exchanges.okx.calls import Calls
from exchanges.okx.contracts import Contract
from exchanges.port import Position

LEVERAGE_READ_MAX = 20


async def marks(calls: Calls) -> dict[str, tuple[Decimal, int]]:
    """Return mark price and venue time of every swap, by the venue's id."""
    return wire_account.marks(await calls.public("public/mark-price", instType="SWAP"))


async def flat_positions(wanted: Sequence[tuple[Contract, str]], calls: Calls) -> list[Position]:
    """Return flat positions of contracts in their margin modes, with leverage and mark price as the venue tells them.

    Raises `BadReply` for one of which it tells neither.
    """
    if not wanted:
        return []
    mark_of, levers = await marks(calls), dict[tuple[str, str], int]()
    for mode in sorted({mode for _, mode in wanted}):
        names = [contract.inst_id for contract, one in wanted if one == mode]
        for start in range(0, len(names), LEVERAGE_READ_MAX):
            query = {"instId": ",".join(names[start : start + LEVERAGE_READ_MAX]), "mgnMode": mode}
            levers.update(wire_account.leverages(await calls.read("account/leverage-info", query)))
    found = []
    for contract, mode in wanted:
        key = contract.inst_id, mode
        if contract.inst_id not in mark_of or key not in levers:
            raise BadReply(f"positions: neither listed nor told elsewhere: {contract.inst_id}")
        mark, venue_ms = mark_of[contract.inst_id]
        found.append(
            wire_account.flat(
                contract, mark=mark, leverage=levers[key], is_isolated=mode == "isolated", venue_ms=venue_ms
            )
        )
    return found
