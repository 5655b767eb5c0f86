"""The running checksum: each record vouches for itself and for every record before it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One line of the journal. `body` is what was appended, with Decimals as text."""

    seq: int
    at_ms: int
    kind: str
    symbol: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One record as it lies in the table."""

    seq: int
    batch: int
    at_ms: int
    kind: str
    symbol: str
    body: str
    chain: int

    def record(self) -> Record:
        """Return what the row says."""
        body = orjson.loads(self.body)
        return Record(seq=self.seq, at_ms=self.at_ms, kind=self.kind, symbol=self.symbol, body=body)


def link(before: int, seq: int, batch: int, at_ms: int, kind: str, symbol: str, body: str) -> int:
    """Return the chain value of a record that follows the chain value `before`."""
    head = f"{before}|{seq}|{batch}|{at_ms}|{len(kind)}|{kind}|{len(symbol)}|{symbol}|"
    return zlib.crc32(body.encode(), zlib.crc32(head.encode()))


def checked(rows: Iterable[Row], seq: int, chain: int) -> Iterator[tuple[Row, str]]:
    """Yield each row with what is wrong with it, empty where it is sound; stops after the first wrong one."""
    for row in rows:
        wrong = _wrong(row, seq, chain)
        yield row, wrong
        if wrong:
            return
        seq, chain = row.seq, row.chain


def _wrong(row: Row, seq: int, chain: int) -> str:
    if row.seq != seq + 1:
        return f"records {seq + 1} to {row.seq - 1} are missing" if row.seq > seq + 1 else "it stands out of order"
    if not all(isinstance(text, str) for text in (row.kind, row.symbol, row.body)):
        return "it is no text"
    if link(chain, row.seq, row.batch, row.at_ms, row.kind, row.symbol, row.body) != row.chain:
        return "its checksum does not match"
    return ""
