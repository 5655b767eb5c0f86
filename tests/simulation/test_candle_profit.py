"""Profit on candles is two figures: the same deployment, run under both readings of what a candle hides."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from actors.settings.account import Settings, load_settings
from actors.virtual.candle_profit import CandleSpan, profit_of

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "demo.yaml"
MINUTE_MS = 60_000
BEGIN = 1_746_372_780_000


@dataclass(frozen=True)
class Bar:
    open: str
    high: str
    low: str
    close: str


def ladder(interval: str) -> Settings:
    symbol = {"symbol": "ETHUSDT", "interval": interval, "amount": "300", "buy_window": 3, "max_lots": 12}
    return load_settings(CONFIG, {"GRIDMESH__SYMBOLS": json.dumps([{**symbol, "sell_window": 3, "anchor": "3000"}])})


def tape(folder: Path, *bars: Bar) -> Path:
    path = folder / "ETHUSDT-1m.csv"
    lines = ["open_time_ms,open,high,low,close,volume"]
    lines += [
        f"{BEGIN + index * MINUTE_MS},{bar.open},{bar.high},{bar.low},{bar.close},5000"
        for index, bar in enumerate(bars)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def whole(path: Path, bars: int) -> CandleSpan:
    return CandleSpan(files=(path,), begin_ms=0, end_ms=bars * MINUTE_MS)


def test_a_level_and_its_exit_in_one_candle_count_in_the_optimistic_figure_only(tmp_path: Path) -> None:
    bars = (Bar("3001", "3001", "3001", "3001"), Bar("3001", "3001.5", "2999", "3001"))

    profit = profit_of(ladder("2"), whole(tape(tmp_path, *bars), len(bars)))["ETHUSDT"]

    assert profit.optimistic >= profit.pessimistic
    path = tape(tmp_path, *bars, Bar("3001", "3003", "2997.5", "3001"), Bar("3001", "3001", "3001", "3001"))
    wide = profit_of(ladder("2"), whole(path, 4))["ETHUSDT"]
    assert wide.optimistic > wide.pessimistic


def test_a_swing_over_several_candles_counts_in_both_figures(tmp_path: Path) -> None:
    bars = (
        Bar("3001", "3001", "3001", "3001"),
        Bar("3001", "3001", "2999", "2999"),
        Bar("2999", "2999.5", "2999", "2999.5"),
        Bar("2999.5", "3004", "2999.5", "3004"),
        Bar("3004", "3004", "3004", "3004"),
    )

    profit = profit_of(ladder("2"), whole(tape(tmp_path, *bars), len(bars)))["ETHUSDT"]

    assert profit.pessimistic > 0
    assert profit.optimistic >= profit.pessimistic


def test_on_real_candles_both_figures_come_out_the_same_each_time(shared_data: Path) -> None:
    path = shared_data / "klines" / "binance_usdm_2025-05_06" / "ETHUSDT-1m.parquet"
    span = CandleSpan(files=(path,), begin_ms=0, end_ms=25 * MINUTE_MS)
    settings = load_settings(
        CONFIG,
        {
            "GRIDMESH__SYMBOLS": json.dumps(
                [{"symbol": "ETHUSDT", "interval": "1.46", "amount": "300", "buy_window": 3, "max_lots": 12}]
            )
        },
    )

    first, again = (profit_of(settings, span)["ETHUSDT"] for _ in range(2))

    assert first == again
    assert first.optimistic >= first.pessimistic
    assert isinstance(first.pessimistic, Decimal)


@pytest.mark.parametrize("end_ms", [0, MINUTE_MS // 2])
def test_no_candle_no_figure(tmp_path: Path, end_ms: int) -> None:
    path = tape(tmp_path, Bar("3001", "3001", "3001", "3001"))

    assert profit_of(ladder("2"), CandleSpan(files=(path,), begin_ms=0, end_ms=end_ms)) == {}
