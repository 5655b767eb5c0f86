"""The engine's records as plain rows, and back: by their fields, so that a new field needs no new code."""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints

T = TypeVar("T")
Row = dict[str, Any]


def row_of(record: Any, without: tuple[str, ...] = ()) -> Row:
    """Return the fields of a record as whole numbers, text, flags and rows."""
    names = [field.name for field in dataclasses.fields(record) if field.name not in without]
    return {name: _plain(getattr(record, name)) for name in names}


def record_of(kind: type[T], row: Row, **more: Any) -> T:
    """Return the record; `more` are the fields that its row leaves out. A field that the row lacks has its default."""
    hints = _hints(kind)  # type: ignore[arg-type]
    return kind(**{name: _whole(hints[name], value) for name, value in row.items()}, **more)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    return row_of(value) if dataclasses.is_dataclass(value) else value


def _whole(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    kind = next((one for one in get_args(hint) if one is not type(None)), hint)
    if kind is Decimal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return kind(value)
    return record_of(kind, value) if dataclasses.is_dataclass(kind) and isinstance(kind, type) else value
