"""Tapes: every documented form gives the same events, and a bad cell is named."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from exchanges.sim.catalogue import demo_instruments
from exchanges.sim.exchange_info import read_brackets, read_exchange_info
from exchanges.sim.market import BookTop, Candle, MarketEvent, Trade
from exchanges.sim.tape import TapeFile, open_tape, tape_symbols
from exchanges.sim.tape_layouts import TapeError
from grid.order import Side

RULES = {instrument.symbol: instrument for instrument in demo_instruments()}
T0 = 1_700_000_040_000
KLINE_ROWS = [
    [T0, "3000.00", "3005.50", "2999.10", "3001.00", "12.345", T0 + 59_999, "37035.5", 42, "6.100", "18300.1", 0],
    [T0 + 60_000, "3001.00", "3001.00", "3000.00", "3000.50", "1.000", T0 + 119_999, "3000.5", 7, "0.5", "1500.2", 0],
]
KLINE_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
TRADE_ROWS = [[11, "3000.01", "0.500", "1500.0", T0, "true"], [12, "2999.99", "0.004", "12.0", T0 + 5, "false"]]
AGG_ROWS = [[11, "3000.01", "0.500", 20, 21, T0, "true"], [12, "2999.99", "0.004", 22, 22, T0 + 5, "false"]]
QUOTE_ROWS = [
    [900, "3000.00", "5.000", "3000.01", "7.250", T0, T0 + 1],
    [901, "3000.00", "4", "3000.02", "1", T0 + 5, 0],
]


def write_csv(path: Path, rows: list[list[object]], header: str = "") -> Path:
    lines = [header] if header else []
    lines += [",".join(str(cell) for cell in row) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_parquet(path: Path, columns: dict[str, list[object]]) -> Path:
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


def events(*files: Path | TapeFile) -> list[MarketEvent]:
    return list(open_tape(files, RULES))


def test_archive_klines_read_alike_with_and_without_header_packed_or_not(tmp_path: Path) -> None:
    plain = write_csv(tmp_path / "ETHUSDT-1m-2023-11.csv", KLINE_ROWS)
    headed = write_csv(tmp_path / "ETHUSDT-1m-headed.csv", KLINE_ROWS, KLINE_HEADER)
    packed = tmp_path / "ETHUSDT-1m-2023-11.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    zipped = tmp_path / "ETHUSDT-1m-2023-11.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.write(plain, plain.name)

    read = [events(path) for path in (plain, headed, packed, zipped)]

    assert read[1:] == read[:1] * 3
    first = read[0][0]
    assert first == Candle(
        symbol="ETHUSDT",
        open_ms=T0,
        interval_ms=60_000,
        open=300000,
        high=300550,
        low=299910,
        close=300100,
        volume=12345,
        quote_volume=Decimal("37035.5"),
        trades=42,
        taker_buy_volume=6100,
        taker_buy_quote_volume=Decimal("18300.1"),
    )


def test_documented_parquet_columns_read_as_the_archive_does(tmp_path: Path) -> None:
    columns: dict[str, list[object]] = {
        "open_time_ms": [T0, T0 + 60_000],
        "open": [3000.0, 3001.0],
        "high": [3005.5, 3001.0],
        "low": [2999.1, 3000.0],
        "close": [3001.0, 3000.5],
        "volume": [12.345, 1.0],
    }
    path = write_parquet(tmp_path / "ETHUSDT-1m.parquet", columns)

    read = events(path)

    assert [
        (bar.time_ms, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in read if isinstance(bar, Candle)
    ] == [
        (T0 + 59_999, 300000, 300550, 299910, 300100, 12345),
        (T0 + 119_999, 300100, 300100, 300000, 300050, 1000),
    ]


def test_trades_aggregated_or_not_and_in_parquet(tmp_path: Path) -> None:
    trades = write_csv(tmp_path / "ETHUSDT-trades-2023-11-14.csv", TRADE_ROWS)
    headed = write_csv(tmp_path / "ETHUSDT-t.csv", TRADE_ROWS, "id,price,qty,quote_qty,time,is_buyer_maker")
    aggregated = write_csv(tmp_path / "ETHUSDT-aggTrades-2023-11-14.csv", AGG_ROWS)
    columns: dict[str, list[object]] = {
        "ts_ms": [T0, T0 + 5],
        "price": [3000.01, 2999.99],
        "qty": [0.5, 0.004],
        "is_buyer_maker": [True, False],
        "trade_id": [11, 12],
    }
    parquet = write_parquet(tmp_path / "binance_usdm_ETHUSDT_trades.parquet", columns)

    read = [events(path) for path in (trades, headed, aggregated, parquet)]

    assert read[1:] == read[:1] * 3
    assert read[0][0] == Trade(
        symbol="ETHUSDT", time_ms=T0, price=300001, quantity=500, aggressor=Side.SELL, trade_id=11
    )
    assert isinstance(read[0][1], Trade)
    assert read[0][1].aggressor is Side.BUY


def test_quotes_without_a_header_are_told_from_aggregated_trades(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "ETHUSDT-bookTicker-2023-11-14.csv", QUOTE_ROWS)

    assert events(path)[0] == BookTop(
        symbol="ETHUSDT", time_ms=T0, bid=300000, bid_quantity=5000, ask=300001, ask_quantity=7250
    )


def test_files_are_merged_by_time_and_a_trade_comes_before_a_quote_of_the_same_millisecond(tmp_path: Path) -> None:
    quotes = write_csv(tmp_path / "ETHUSDT-bookTicker.csv", QUOTE_ROWS)
    trades = write_csv(tmp_path / "ETHUSDT-trades.csv", TRADE_ROWS)
    other = write_csv(tmp_path / "BTCUSDT-trades.csv", [[1, "60000.1", "0.001", "60", T0 + 3, "True"]])

    read = events(quotes, trades, other)

    assert [(type(event), event.symbol, event.time_ms - T0) for event in read] == [
        (Trade, "ETHUSDT", 0),
        (BookTop, "ETHUSDT", 0),
        (Trade, "BTCUSDT", 3),
        (Trade, "ETHUSDT", 5),
        (BookTop, "ETHUSDT", 5),
    ]
    assert tape_symbols([quotes, trades, other], RULES) == ["ETHUSDT", "BTCUSDT"]


def test_times_in_microseconds_are_understood(tmp_path: Path) -> None:
    rows: list[list[object]] = [[1, "3000.00", "1", "3000", T0 * 1000, "true"]]

    assert events(write_csv(tmp_path / "ETHUSDT-trades.csv", rows))[0].time_ms == T0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda d: d / "ETHUSDT-1m.csv", ["no such file"]),
        (lambda d: write_csv(d / "NOBODY-1m.csv", KLINE_ROWS), ["no known symbol"]),
        (lambda d: write_csv(d / "ETHUSDT-x.csv", [[1, 2, 3]]), ["row 1", "3 columns"]),
        (lambda d: write_csv(d / "ETHUSDT-x.csv", TRADE_ROWS, "id,price,qty,quote,when,is_buyer_maker"), ["ts_ms"]),
        (lambda d: write_csv(d / "ETHUSDT-t.csv", [*TRADE_ROWS, [9, "x", 1, 1, T0 + 9, "true"]]), ["row 3", "price"]),
        (lambda d: write_csv(d / "ETHUSDT-t.csv", [[13, "nan", "1", "1", T0, "true"]]), ["row 1", "price"]),
        (lambda d: write_csv(d / "ETHUSDT-t.csv", [[13, "3000", "-1", "1", T0, "true"]]), ["row 1", "qty"]),
        (lambda d: write_csv(d / "ETHUSDT-t.csv", [[13, "3000", "1", "1", T0, "maybe"]]), ["row 1", "is_buyer_maker"]),
        (lambda d: write_csv(d / "ETHUSDT-t.csv", list(reversed(TRADE_ROWS))), ["row 2", "time", "back by 5 ms"]),
        (lambda d: write_csv(d / "ETHUSDT-t.csv", [*TRADE_ROWS, [1, 2]]), ["row 3", "2 columns"]),
        (lambda d: write_csv(d / "ETHUSDT-b.csv", [[1, "3000.02", "5", "3000.01", "7", T0, T0]]), ["row 1", "bid"]),
        (lambda d: write_csv(d / "ETHUSDT-1m.csv", [[T0, "3000", "2990", *KLINE_ROWS[0][3:]]]), ["row 1", "low"]),
        (
            lambda d: write_parquet(
                d / "ETHUSDT-trades.parquet",
                {"ts_ms": [T0, T0], "price": [3000.0, None], "qty": [1.0, 1.0], "is_buyer_maker": [True, True]},
            ),
            ["row 2", "price"],
        ),
        (
            lambda d: write_parquet(
                d / "ETHUSDT.parquet",
                {"open_time_ms": [T0], "open": [1.0], "high": [1.0], "low": [1.0], "close": [1.0], "volume": [1.0]},
            ),
            ["interval"],
        ),
    ],
)  # fmt: skip
def test_an_error_names_file_row_and_column(tmp_path: Path, make: Callable[[Path], Path], words: list[str]) -> None:
    path = make(tmp_path)

    with pytest.raises(TapeError) as error:
        events(path)

    assert all(word in str(error.value) for word in [path.name, *words]), str(error.value)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    for name in ("ETHUSDT-trades.parquet", "ETHUSDT-trades.csv.gz", "ETHUSDT-trades.zip"):
        path = tmp_path / name
        path.write_bytes(b"not what it says")
        with pytest.raises(TapeError, match=name):
            events(path)


def test_nothing_is_read_ahead_of_what_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "ETHUSDT-trades.csv"
    rows: list[list[object]] = [[n, "3000.00", "1", "3000", T0 + n, "true"] for n in range(1000)]
    write_csv(path, [*rows, [1000, "bad", "1", "1", T0 + 1000, "true"]])
    tape = open_tape([path], RULES)

    assert [next(tape).time_ms for _ in range(1000)] == [T0 + n for n in range(1000)]
    with pytest.raises(TapeError, match="row 1001"):
        next(tape)


def test_the_venues_saved_metadata_gives_its_instruments(shared_data: Path) -> None:
    folder = shared_data / "exchange_info"
    tiers = read_brackets(folder / "binance_usdm_leverage_tiers_2024-10.json.gz")

    found = {
        rules.symbol: rules
        for rules in read_exchange_info(folder / "binance_usdm_exchangeInfo_2025-11-26.json.gz", tiers)
    }

    assert len(found) == 646
    eth = found["ETHUSDT"]
    assert (eth.tick, eth.step, eth.notional_min) == (Decimal("0.01"), Decimal("0.001"), Decimal(20))
    assert [tier.leverage_max for tier in eth.brackets[:3]] == [125, 100, 75]
    assert found["BTCUSDT"].raw["filters"][0]["tickSize"] == "0.10"


def test_other_content_is_no_exchange_info(tmp_path: Path) -> None:
    path = tmp_path / "exchangeInfo.json"
    path.write_text('{"symbols": [{"symbol": "X"}]}')

    with pytest.raises(ValueError, match=r"exchangeInfo\.json"):
        read_exchange_info(path)
