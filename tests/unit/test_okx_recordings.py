"""Recorded messages of the real venue parse, whole files of them."""

from __future__ import annotations

import gzip
import json
import lzma
from decimal import Decimal
from pathlib import Path
from typing import Any

from exchanges.okx import wire_rules
from exchanges.okx.tongue import OkxStreams
from exchanges.session.subscription import Confirmed, Told


def listed(shared_data: Path, name: str) -> Any:
    with gzip.open(shared_data / "exchange_info" / name) as file:
        return json.load(file)


def test_every_recorded_swap_becomes_a_contract_or_is_margined_in_its_coin(shared_data: Path) -> None:
    reply = listed(shared_data, "okx_instruments_SWAP_2022-05-13.json.gz")
    book = wire_rules.contracts(reply)

    assert len(book.by_symbol) + len(book.others) == len(reply["data"]) == 166
    bitcoin = book.of_symbol("BTCUSDT")
    assert (bitcoin.lot, bitcoin.value, bitcoin.instrument.step) == (Decimal(1), Decimal("0.01"), Decimal("0.01"))
    assert bitcoin.code is None
    for contract in book.by_symbol.values():
        assert contract.instrument.step == contract.lot * contract.value
        assert 0 < contract.instrument.quantity_min <= contract.instrument.quantity_max


def test_the_published_sample_of_today_has_numbers_for_the_order_socket(shared_data: Path) -> None:
    book = wire_rules.contracts(listed(shared_data, "okx_v5_instruments_swap_SAMPLE.json.gz"))
    ether = book.of_symbol("ETHUSDT")

    assert (ether.code, ether.instrument.step, ether.inst_id) == (10461, Decimal("0.001"), "ETH-USDT-SWAP")
    assert "BTC-USD-SWAP" in book.others


def test_every_recorded_frame_is_a_confirmation_or_an_event_of_its_channel(shared_data: Path) -> None:
    path = shared_data / "ws_recordings/okx_v5_public_2022-05-13.log.xz"
    with lzma.open(path, "rt") as lines:
        frames = [line.partition(": ")[2] for line in lines if line[:1].isdigit()]
    heard = [OkxStreams().hear(json.loads(frame)) for frame in frames if frame.startswith("{")]

    assert len(heard) > 300
    confirmed = {name for one in heard if isinstance(one, Confirmed) for name in one.names or ()}
    told = [one for one in heard if isinstance(one, Told)]
    assert {one.name.partition(":")[0] for one in told} == {"tickers", "trades", "books"}
    assert {one.name for one in told} <= confirmed
    assert len(told) + sum(isinstance(one, Confirmed) for one in heard) == len(heard)
    for one in told:
        for row in wire_rules.rows(one.content, "frame"):
            assert row["ts"].isdigit()
