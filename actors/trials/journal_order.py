"""What a run did, by the order of its journal's records: what came before a hold and what after it needs no clock."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from actors.journal.place import journal_place
from actors.journal.read import export
from actors.settings.account import Settings
from grid.client_id import decode
from grid.holds import HoldCause
from grid.order import Purpose
from grid.records import HoldLifted, HoldPut, OrderIntended, OwnerRaised, Record, from_body


def journalled(settings: Settings, environ: Mapping[str, str] = os.environ) -> list[Record]:
    """Return every record ever, oldest first; works beside the one who writes."""
    _, *rows = export(journal_place(settings, environ))
    return [from_body(row["kind"], row["body"]) for row in rows]


def entries_under_a_hold(records: Iterable[Record]) -> Iterator[str]:
    """Yield a sentence for each entry that was meant after a hold and before its end."""
    holds: set[tuple[HoldCause, str]] = set()
    writer = 0
    for record in records:
        match record:
            case OwnerRaised(owner_epoch=epoch):
                writer = epoch
            case HoldPut(hold=hold):
                holds.add((hold.cause, hold.symbol))
            case HoldLifted(cause=cause, symbol=symbol):
                holds.discard((cause, symbol))
            case OrderIntended(purpose=Purpose.ENTRY) as entry if _writer_of(entry) == writer:
                standing = sorted(cause.value for cause, symbol in holds if symbol in ("", entry.symbol))
                if standing:
                    yield f"entry {entry.client_id} was meant under {standing}"


def _writer_of(order: OrderIntended) -> int | None:
    """Return who first meant it: one that is found at the venue is written down by a later owner, under any hold."""
    identity = decode(order.client_id, order.symbol)
    return identity.owner_epoch if identity is not None else None
