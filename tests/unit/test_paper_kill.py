"""SIGKILL at any moment: what a paper account has told anybody, its next life knows; and its money adds up."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.paper_market import PaperRig, paper

ROOT = Path(__file__).resolve().parents[2]
LATER = {"NEW": 0, "PARTIALLY_FILLED": 1, "FILLED": 2, "CANCELED": 2, "EXPIRED": 2}


def killed_after(path: Path, life: int, lines: int) -> list[dict[str, Any]]:
    """Let a child trade until it has told so much, kill it, and return everything that it had told by then."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.paper_child", str(path), str(life)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    try:
        told = [child.stdout.readline() for _ in range(lines)]
    finally:
        child.kill()
    rest = child.stdout.read().splitlines(keepends=True)
    child.stdout.close()
    child.wait(180)
    return [orjson.loads(line) for line in [*told, *rest] if line.endswith(b"\n")]


async def account(rig: PaperRig) -> tuple[dict[str, Any], set[str], Decimal, Decimal, int]:
    orders = {one.client_id: one for one in await rig.venue.orders_since("ETHUSDT", 0)}
    fills = {fill.trade_id for fill in await rig.venue.fills_since("ETHUSDT", 0)}
    ledger = sum((row.amount for row in await rig.venue.income_since(0)), Decimal(0))
    [position] = await rig.venue.positions()
    return orders, fills, (await rig.venue.account()).wallet, ledger, position.quantity


@pytest.mark.parametrize("lines", [1, 23, 120])
def test_what_was_told_is_kept(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "account.sqlite"

    async def look() -> tuple[dict[str, Any], set[str], Decimal, Decimal, int]:
        async with paper(path) as rig:
            return await account(rig)

    told: list[dict[str, Any]] = []
    for life in (1, 2):
        told += killed_after(path, life, lines)
        orders, fills, wallet, ledger, quantity = asyncio.run(look())

        assert {one["trade_id"] for one in told if one["trade_id"]} <= fills
        for one in told:
            kept = orders[one["client_id"]]
            assert LATER[kept.status.value] >= LATER[one["status"]]
            assert kept.filled >= one["filled"]
        assert wallet == ledger
        assert quantity == sum(one.filled * one.side.sign for one in orders.values())
