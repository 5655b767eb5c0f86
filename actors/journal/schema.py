"""Tables of the journal, their version, and the steps from older versions to this one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

METADATA = sa.MetaData()

RECORDS = sa.Table(
    "records",
    METADATA,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("batch", sa.BigInteger, nullable=False),  # seq of the first record written together with this one
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("symbol", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("chain", sa.BigInteger, nullable=False),  # checksum over this record and the chain before it
)

SNAPSHOTS = sa.Table(
    "snapshots",
    METADATA,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("checksum", sa.BigInteger, nullable=False),
)

META = sa.Table(
    "meta",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

LOST = sa.Table(
    "lost",
    METADATA,
    sa.Column("found_ms", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("row", sa.Text, nullable=False),  # a damaged last record as it was read, kept for the reader
)

MAIN_ACCOUNT = "main"
PAPER_ACCOUNT = "paper"
"""What a journal on paper names as its account: it is never taken for one of an account, nor the other way round."""

ARCHIVE = sa.MetaData()
"""Of a database only: a journal in a file keeps its pruned records in files beside it."""

ARCHIVED = sa.Table(
    "archived",
    ARCHIVE,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("symbol", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)

Migration = Callable[[sa.Connection], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The version this program writes, and for each older version the step to the next one."""

    version: int = 1
    steps: Mapping[int, Migration] = field(default_factory=dict)


CURRENT = Schema()
