"""Recorded candles as the risk report reads them: Parquet or CSV files of one coin each, merged by time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from grid.errors import GridmeshError
from risk.candle import Candle

_NAME = re.compile(r"(?P<symbol>[A-Z0-9]+)-(?P<interval>\d+[smhd])\b.*\.(?P<kind>parquet|csv)")
_ARCHIVE_COLUMNS = (
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
    "quote_volume",
    "count",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
)
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_BATCH_ROWS = 10_000
# The venue's newer archives state microseconds; no candle in milliseconds is that late.
_MICROSECONDS_FROM = 10**14


class TapeError(GridmeshError):
    """A tape cannot be read; names the file, and the row and column where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeFile:
    """One file, by its name: `SYMBOL-INTERVAL` and anything after, ending in .parquet or .csv."""

    path: Path
    symbol: str
    interval_ms: int


def tape_files(tape: Path) -> list[TapeFile]:
    """Return the candle files of a folder, or the one file, by name; raises `TapeError` where there is none."""
    paths = sorted(tape.iterdir()) if tape.is_dir() else [tape]
    files = []
    for path in paths:
        match = _NAME.fullmatch(path.name)
        if match is not None and path.is_file():
            count, unit = match["interval"][:-1], match["interval"][-1]
            files.append(TapeFile(path=path, symbol=match["symbol"], interval_ms=int(count) * _UNIT_MS[unit]))
    if not files:
        raise TapeError(f"{tape}: no candle file (a name like ETHUSDT-1m.parquet or ETHUSDT-1m-2025-05.csv)")
    return files


def read_candles(file: TapeFile) -> Iterator[Candle]:
    """Yield a file's candles in its own order, all closed, a batch of rows in memory at a time.

    A float of Parquet is read as its shortest decimal text, which is what was written.
    """
    row = 0
    for batch in _batches(file):
        times = "open_time_ms" if "open_time_ms" in batch.schema.names else "open_time"
        for name in (times, "open", "high", "low", "close", "volume"):
            if name not in batch.schema.names:
                raise TapeError(f"{file.path}: column {name} is missing")
        columns = [batch.column(name).to_pylist() for name in (times, "open", "high", "low", "close", "volume")]
        for cells in zip(*columns, strict=True):
            row += 1
            yield _candle(file, row, cells)


def merged(files: Iterable[TapeFile], watch: Sequence[str]) -> Iterator[tuple[int, Candle]]:
    """Yield (time of close in ms, candle) of the watched coins, by time, for the span that all of them cover."""
    streams = {}
    for symbol in watch:
        own = [file for file in files if file.symbol == symbol]
        if not own:
            raise TapeError(f"{symbol} is watched, but no file holds its candles")
        streams[symbol] = _in_order(own)
    heads = {symbol: next(stream, None) for symbol, stream in streams.items()}
    begin = max((head.open_ms for head in heads.values() if head is not None), default=0)
    while True:
        present = [head for head in heads.values() if head is not None]
        if len(present) < len(heads) or not present:
            return
        soonest = min(head.close_ms for head in present)
        for symbol, head in heads.items():
            if head is not None and head.close_ms == soonest:
                if head.open_ms >= begin:
                    yield head.close_ms + 1, head
                heads[symbol] = next(streams[symbol], None)


def _in_order(files: Sequence[TapeFile]) -> Iterator[Candle]:
    newest_ms = -1
    for file in files:
        for candle in read_candles(file):
            if candle.open_ms <= newest_ms:
                raise TapeError(f"{file.path}: the candle opened at {candle.open_ms} comes after a later or equal one")
            newest_ms = candle.open_ms
            yield candle


def _batches(file: TapeFile) -> Iterator[pa.RecordBatch]:
    try:
        if file.path.suffix == ".parquet":
            yield from pa_parquet.ParquetFile(file.path).iter_batches(batch_size=_BATCH_ROWS)
        else:
            yield from _open_csv(file.path)
    except (OSError, pa.ArrowException) as error:
        raise TapeError(f"{file.path}: {error}") from error


def _open_csv(path: Path) -> pa_csv.CSVStreamingReader:
    with path.open(encoding="utf-8") as lines:
        first = lines.readline().strip()
    has_header = not first[:1].isdigit()
    names = first.split(",") if has_header else list(_ARCHIVE_COLUMNS)[: first.count(",") + 1]
    return pa_csv.open_csv(
        path,
        read_options=pa_csv.ReadOptions(column_names=names, skip_rows=1 if has_header else 0),
        convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True),
    )


def _candle(file: TapeFile, row: int, cells: Sequence[object]) -> Candle:
    values = []
    for name, cell in zip(("open_time", "open", "high", "low", "close", "volume"), cells, strict=True):
        try:
            value = Decimal(str(cell))
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            raise TapeError(f"{file.path}: row {row}, column {name}: {cell!r} is no number")
        values.append(value)
    opened, *prices, volume = values
    open_ms = int(opened) // 1000 if opened >= _MICROSECONDS_FROM else int(opened)
    return Candle(
        symbol=file.symbol,
        open_ms=open_ms,
        close_ms=open_ms + file.interval_ms - 1,
        open=prices[0],
        high=prices[1],
        low=prices[2],
        close=prices[3],
        volume=volume,
        is_closed=True,
    )
