"""`gridmesh venues`: who is listed, what is refused and why, and that the README's table is the program's own."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from actors.commands.venues import as_markdown
from exchanges import adapters
from exchanges.generic.facts import MEASURED, TESTED
from exchanges.venue_table import VenueRow, native_rows
from grid.errors import ConfigError
from tests.venue.contract import GENERIC, NATIVE

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN = "<!-- gridmesh venues --markdown -->\n"
BATCHES = {
    "binanceusdm": ("exchanges.binance.trading", "PLACE_BATCH_MAX"),
    "bybit": ("exchanges.bybit.entry", "PLACE_BATCH_MAX"),
    "gate": ("exchanges.gate.trading", "PLACE_BATCH_MAX"),
    "okx": ("exchanges.okx.trading", "BATCH_MAX"),
    "bitget": ("exchanges.bitget.entry", "PLACE_BATCH_MAX"),
}


@cache
def rows() -> dict[str, Any]:
    """What the program prints; in a process of its own, since the whole of ccxt is loaded."""
    command = [sys.executable, "-m", "actors.cli", "venues", "--json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=280, check=True)
    return {row["name"]: row for row in json.loads(ended.stdout)}


def test_the_table_of_the_readme_is_the_program_s_own() -> None:
    text = README.read_text(encoding="utf-8")
    table = text.partition(BEGIN)[2].partition("\n\n")[0]
    generic = [
        VenueRow(**{**row, "lacks": tuple(row["lacks"])}) for row in rows().values() if row["adapter"] == "generic"
    ]

    assert table == as_markdown(native_rows(), generic)


def test_each_venue_is_an_object_with_every_answer() -> None:
    asked = {"name", "adapter", "order_entry", "batch", "dead_man_switch", "stop_orders", "testnet", "tested", "lacks"}

    assert all(set(row) == asked for row in rows().values())
    assert [name for name, row in rows().items() if row["adapter"] == "native"] == list(adapters.NATIVE)
    assert {row["adapter"] for row in rows().values()} == {"native", "generic"}
    assert not any(row["lacks"] for row in rows().values() if row["adapter"] == "native")


@pytest.mark.parametrize(
    ("name", "lack"),
    [
        ("hyperliquid", "signing by key and secret"),
        ("woofipro", "margin brackets"),
        ("bingx", "client ids as they were sent"),
        ("bullish", "reduce-only orders"),
        ("weex", "post-only orders"),
        ("bitrue", "positions"),
        ("kraken", "perpetual swaps"),
    ],
)
def test_who_lacks_something_is_refused_by_name_with_what_it_lacks(name: str, lack: str) -> None:
    assert lack in rows()[name]["lacks"]
    assert lack in adapters.complaint(name)
    with pytest.raises(ConfigError, match=lack):
        adapters.market_venue(name, None)  # type: ignore[arg-type]  # refused before it is looked at


def test_a_name_that_nobody_knows_is_refused() -> None:
    assert "has to be one of" in adapters.complaint("nowhere")
    assert adapters.complaint("ccxt:okx") == adapters.complaint("kucoinfutures") == ""
    assert "account number" in adapters.complaint("ccxt:gate")


@pytest.mark.parametrize("name", adapters.NATIVE)
def test_the_batches_of_the_table_are_those_of_the_adapters(name: str) -> None:
    module, constant = BATCHES[name]
    (row,) = [row for row in native_rows() if row.name == name]

    assert row.batch == f"{getattr(import_module(module), constant)} by REST"


def test_tested_are_those_that_the_contract_suite_runs() -> None:
    assert {kind.name for kind in NATIVE} == set(adapters.NATIVE)
    assert {kind.name.removeprefix(adapters.FORCED) for kind in GENERIC} == MEASURED
    assert {name for name, row in rows().items() if row["adapter"] == "generic" and row["tested"] != "no"} == TESTED
