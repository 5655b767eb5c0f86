"""Recorded frames through a whole deployment on paper, over real sockets: equal to the last fill, however often."""

from __future__ import annotations

import json
import lzma
from decimal import Decimal
from pathlib import Path

import pytest

from tests.frame_tongues import BinanceTongue, GateTongue, OkxTongue, Tongue
from tests.paper_replay import LADDER, run
from tests.recorded_frames import (
    Frame,
    frames_of,
    gate_contracts,
    gate_mark,
    listed_as,
    okx_mark,
    read_frames,
    read_gate,
    read_okx,
    read_raw,
    read_session,
    walk,
    with_marks,
    write_frames,
)
from tests.venue.running_venue import INSTRUMENTS

START_MS = 1_721_300_000_000


def generated(folder: Path, symbol: str, *, seed: int, count: int) -> list[Frame]:
    """Return a small tape, written and read again as a recorder's file would be."""
    held = INSTRUMENTS[symbol]
    price = held.ticks(Decimal(3000))
    events = walk(held, seed=seed, count=count, start_ms=START_MS, price=price, stride=price // 3000)
    write_frames(folder / f"{symbol}.jsonl", with_marks(frames_of(events, INSTRUMENTS)))
    return read_frames(folder / f"{symbol}.jsonl")


BINANCE = BinanceTongue(tuple(INSTRUMENTS.values()))


def test_equal_frames_give_equal_fills_and_equal_journals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = generated(tmp_path, "ETHUSDT", seed=4, count=60)

    one, two = (run(tmp_path / name, monkeypatch, BINANCE, frames) for name in ("one", "two"))

    assert len(one.fills) >= 4
    assert any(fact[4] == "X" for fact in one.facts)
    assert one.differences(two) == []


def test_a_recorder_s_log_is_read_frame_by_frame(tmp_path: Path) -> None:
    frames = [frame for frame in generated(tmp_path, "ETHUSDT", seed=4, count=20) if "E" in frame.data]
    lines = ["wss://fstream.example/stream", *(f"1626950000: {json.dumps(frame.message)}" for frame in frames)]
    other = {"stream": "btcusdt@aggTrade", "data": {}}
    with lzma.open(tmp_path / "log.xz", "wt") as file:
        file.write("\n".join([*lines, f"1626950001: {json.dumps(other)}", '1626950002: {"result": null, "id": 1}']))

    assert read_session(tmp_path / "log.xz", "ETHUSDT") == frames


OKX_RULES = {
    # the rules of the recorded coin pair, as those of a swap on it
    "instId": "BTC-USDT-SWAP",
    "instFamily": "BTC-USDT",
    "ctType": "linear",
    "ctVal": "1",
    "ctMult": "1",
    "lotSz": "0.00001",
    "minSz": "0.00001",
    "maxLmtSz": "1000000",
    "tickSz": "0.1",
    "state": "live",
}


def okx_recording(shared_data: Path) -> tuple[Tongue, list[Frame]]:
    path = shared_data / "ws_recordings" / "okx_v5_public_2022-05-13.log.xz"
    recorded = read_okx(path, "BTC-USDT", "BTC-USDT-SWAP", step="0.00001")
    return OkxTongue([OKX_RULES]), list(with_marks(recorded, okx_mark))


def test_the_recording_of_okx_is_equal_to_the_last_fill(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tongue, frames = okx_recording(shared_data)
    ladder = {**LADDER, "symbol": "BTCUSDT", "interval": "2", "amount": 60}

    one, two = (
        run(tmp_path / name, monkeypatch, tongue, frames, ladder, maker_fee=0, taker_fee=0) for name in ("one", "two")
    )

    assert len(frames) > 150
    assert one.fills
    assert one.differences(two) == []


@pytest.mark.long
@pytest.mark.parametrize(("contract", "interval"), [("PHB_USDT", "0.0004"), ("WOO_USDT", "0.0002")])
def test_the_recording_of_gate_is_equal_to_the_last_order(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contract: str, interval: str
) -> None:
    """It holds no trade, so nothing of ours that rests can fill."""
    recorded = read_gate(shared_data / "ws_recordings" / "gate_futures_usdt_2023-05-24.log.xz", contract)
    frames = list(with_marks(recorded, gate_mark))
    rules = gate_contracts(shared_data / "exchange_info" / "gate_futures_usdt_contracts_2023-05-24.json.gz", contract)
    symbol = contract.replace("_", "")
    ladder = {**LADDER, "symbol": symbol, "interval": interval, "amount": 60, "leverage": 2}

    one, two = (
        run(tmp_path / name, monkeypatch, GateTongue(rules), frames, ladder, maker_fee=0, taker_fee=0)
        for name in ("one", "two")
    )

    assert len(frames) > 20
    assert len(one.facts) > LADDER["buy_window"]
    assert one.differences(two) == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_recorded_session_is_equal_to_the_last_fill(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shared_data / "ws_recordings" / "binance_usdm_SUSHI_AKRO_KEEP_CTK_2021-07-22.log.xz"
    frames = list(with_marks(read_session(path, "SUSHIUSDT")))
    known = (listed_as(INSTRUMENTS["XRPUSDT"], "SUSHIUSDT", tick="0.00001", step="1"),)
    ladder = {**LADDER, "symbol": "SUSHIUSDT", "interval": "0.01", "amount": 60}

    one, two = (run(tmp_path / name, monkeypatch, BinanceTongue(known), frames, ladder) for name in ("one", "two"))

    assert one.facts
    assert one.differences(two) == []


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("symbol", "interval", "amount"), [("ETHUSDT", "0.2", 60), ("BTCUSDT", "2", 150)])
@pytest.mark.parametrize("day", ["20240718", "20240719"])
def test_recorded_frames_are_equal_to_the_last_fill(
    shared_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    symbol: str,
    interval: str,
    amount: int,
    day: str,
) -> None:
    recorded = read_raw(shared_data / "ticks" / "raw" / f"binance_usdm_{symbol}_{day}.frames.xz")
    frames = list(with_marks(recorded))
    ladder = {**LADDER, "symbol": symbol, "interval": interval, "amount": amount}
    free = {"maker_fee": 0, "taker_fee": 0}  # so near a ladder would not earn its fees, and is refused

    one, two = (run(tmp_path / name, monkeypatch, BINANCE, frames, ladder, **free) for name in ("one", "two"))

    assert one.fills
    assert one.differences(two) == []
