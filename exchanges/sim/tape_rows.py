"""Rows of a tape file, one at a time, whatever it is stored in."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import pyarrow
import pyarrow.parquet

from exchanges.sim.tape_layouts import Layout, TapeError, archive_layout, layout_of

BATCH_ROWS = 8192
Row = Sequence[Any]


def read_rows(path: Path) -> tuple[Layout, Iterator[tuple[int, Row]]]:
    """Return a file's layout and its rows, numbered from 1 (a header is row 1 of a CSV).

    Takes .parquet, .csv, .csv.gz, and .zip with one CSV in it. At most `BATCH_ROWS` rows are held at once.
    """
    if not path.is_file():
        raise TapeError(path, "no such file")
    if path.suffix == ".parquet":
        return _parquet(path)
    return _csv(path)


def _parquet(path: Path) -> tuple[Layout, Iterator[tuple[int, Row]]]:
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowInvalid, OSError) as damage:
        raise TapeError(path, f"cannot be read as Parquet ({damage})") from damage
    columns = file.schema_arrow.names
    layout = layout_of(path, columns)
    wanted = sorted(layout.places.values())
    narrow = layout_of(path, [columns[place] for place in wanted])
    return narrow, _parquet_rows(path, file, [columns[place] for place in wanted])


def _parquet_rows(path: Path, file: Any, columns: list[str]) -> Iterator[tuple[int, Row]]:
    number = 0
    with file:
        try:
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
                values = [batch.column(name).to_pylist() for name in columns]
                for row in zip(*values, strict=True):
                    number += 1
                    yield number, row
        except (pyarrow.ArrowInvalid, OSError) as damage:
            raise TapeError(path, f"is damaged ({damage})", row=number + 1) from damage


def _csv(path: Path) -> tuple[Layout, Iterator[tuple[int, Row]]]:
    with _text(path) as text:
        first = next(csv.reader(text), None)
    if not first:
        raise TapeError(path, "is empty")
    has_header = first[0].strip()[:1].isalpha()  # in every layout the first column is a number
    layout = layout_of(path, first) if has_header else archive_layout(path, first)
    return layout, _csv_rows(path, has_header, len(first))


def _csv_rows(path: Path, has_header: bool, width: int) -> Iterator[tuple[int, Row]]:
    with _text(path) as text:
        for number, row in enumerate(csv.reader(text), 1):
            if (number == 1 and has_header) or not row:
                continue
            if len(row) != width:
                raise TapeError(path, f"{len(row)} columns where the first row has {width}", row=number)
            yield number, row


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
                yield text
        elif path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if name.endswith(".csv")]
                if len(names) != 1:
                    raise TapeError(path, f"holds {len(names)} CSV files, not one")
                with archive.open(names[0]) as member:
                    yield io.TextIOWrapper(member, encoding="utf-8", newline="")
        else:
            with path.open(encoding="utf-8", newline="") as text:
                yield text
    except (gzip.BadGzipFile, zipfile.BadZipFile, EOFError, UnicodeDecodeError) as damage:
        raise TapeError(path, f"is damaged ({damage})") from damage
