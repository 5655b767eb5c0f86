"""Instruments from the venue's own files: a saved exchangeInfo, and maintenance tiers beside it."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from exchanges.sim.instrument import Bracket, SimInstrument


def read_exchange_info(path: Path, brackets: Mapping[str, tuple[Bracket, ...]] | None = None) -> list[SimInstrument]:
    """Return the symbols of a saved `GET /fapi/v1/exchangeInfo` (.json or .json.gz).

    Symbols without a price tick (not opened yet) are left out. Raises `ValueError`, naming the file, for other content.
    """
    content = _json(path)
    try:
        entries = content["symbols"]
        listed = [entry for entry in entries if _has_tick(entry)]
        return [
            SimInstrument.from_exchange_info(entry, brackets=(brackets or {}).get(entry["symbol"], ()))
            for entry in listed
        ]
    except (KeyError, TypeError) as bad:
        raise ValueError(f"{path}: no exchangeInfo of a futures venue ({bad!r} is missing or of another type)") from bad


def read_brackets(path: Path) -> dict[str, tuple[Bracket, ...]]:
    """Return the maintenance tiers by symbol of a saved table in ccxt's form (its raw venue entry in `info`)."""
    found = {}
    for name, tiers in _json(path).items():
        pair, _, settle = name.partition(":")
        if "-" in settle:  # a dated contract of the same pair
            continue
        found[pair.replace("/", "")] = tuple(_bracket(tier["info"]) for tier in tiers)
    return found


def _bracket(info: Mapping[str, str]) -> Bracket:
    return Bracket(
        number=int(info["bracket"]),
        leverage_max=int(info["initialLeverage"]),
        notional_floor=Decimal(info["notionalFloor"]),
        notional_cap=Decimal(info["notionalCap"]),
        rate=Decimal(info["maintMarginRatio"]),
        cum=Decimal(info["cum"]),
    )


def _has_tick(entry: Mapping[str, Any]) -> bool:
    ticks = [f["tickSize"] for f in entry["filters"] if f["filterType"] == "PRICE_FILTER"]
    return bool(ticks) and Decimal(ticks[0]) > 0


def _json(path: Path) -> Any:
    raw = path.read_bytes()
    return orjson.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
