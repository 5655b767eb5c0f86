"""How symbols that come and go stand, read from the coordinator's snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actors.commands.numbers import lots, money, plain, verb


def roster_state(seen: Mapping[str, Any], symbol: str) -> str:
    """Return `comparing`, `joined`, `leaving` or `left`; empty for a symbol that this run has not changed."""
    rows = {row["symbol"]: row["state"] for row in seen["gateway"].get("roster", [])}
    return str(rows.get(symbol, ""))


def is_serving(seen: Mapping[str, Any], symbol: str) -> bool:
    """Whether the symbol is taken in, agreed with the venue, and every actor of it answers."""
    if roster_state(seen, symbol) != "joined" or symbol not in seen["layouts"]:
        return False
    health = {row["name"]: row["health"] for row in seen["actors"]}
    return all(health.get(name) == "up" for name in (*seen["layouts"][symbol], seen["feeds"][symbol]))


def removal_report(seen: Mapping[str, Any], symbol: str, mode: str) -> dict[str, Any]:
    """Return what a removal left behind; after a flatten it is done only if no lot is left."""
    picture = seen["gateway"].get("symbols", {}).get(symbol, {})
    count = picture.get("lots", 0)
    rests = "no entry is left, exits rest" if mode == "leave_exits" else "no own order is left"
    said = [f"{symbol}: {rests}: verified at the venue"]
    if count:
        said.append(
            f"{symbol}: {lots(count)} of {plain(picture['lot_quantity'])} {verb(count, 'stays', 'stay')}, "
            f"cost {money(picture['lot_cost'])}"
        )
    said.append(f"take {symbol} out of the configuration: a start with it is refused")
    return {"done": not (mode == "flatten" and count), "said": said}
