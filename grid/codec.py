"""Dataclasses to plain JSON values and back, by their type hints: for journal records and snapshots.

`Decimal` travels as text, an enum as its value, a tuple as a list. Fields that a stored body lacks take their default,
so that an older journal stays readable; fields that the class does not know are refused. A field may be one type or
that type and None; no other union has a plain form.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from grid.errors import GridmeshError

T = TypeVar("T")
Plain = dict[str, Any] | list[Any] | str | int | bool | None


class Undecodable(GridmeshError):
    """A stored body does not fit the record that it claims to be."""


def encode(value: Any) -> Any:
    """Return the value as JSON types; raises `TypeError` for what has no such form (floats among them)."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if dataclasses.is_dataclass(value):
        shape: Any = type(value)
        return {name: encode(getattr(value, name)) for name in _hints(shape)}
    raise TypeError(f"{type(value).__name__} has no plain form")


def decode(kind: type[T], body: Mapping[str, Any]) -> T:
    """Return the dataclass of the kind from its plain form; raises `Undecodable` naming the field."""
    if not isinstance(body, Mapping):
        raise Undecodable(f"{kind.__name__}: {body!r} is no object")
    shape: Any = kind
    hints = _hints(shape)
    unknown = set(body) - set(hints)
    if unknown:
        raise Undecodable(f"{kind.__name__}: unknown field {sorted(unknown)[0]}")
    try:
        return kind(
            **{name: _decode_value(hints[name], value, f"{kind.__name__}.{name}") for name, value in body.items()}
        )
    except TypeError as error:
        raise Undecodable(f"{kind.__name__}: {error}") from error


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _decode_value(hint: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin is types.UnionType or origin is typing.Union:
        choices = [choice for choice in typing.get_args(hint) if choice is not type(None)]
        if value is None:
            return None
        if len(choices) > 1:
            raise Undecodable(f"{where}: which of {len(choices)} types it is cannot be told")
        return _decode_value(choices[0], value, where)
    if origin is tuple:
        return _decode_tuple(typing.get_args(hint), value, where)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return decode(hint, value)
    if hint is Decimal:
        return _decode_decimal(value, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _decode_enum(hint, value, where)
    if hint is Any or (isinstance(value, hint) and isinstance(value, bool) is (hint is bool)):
        return value
    raise Undecodable(f"{where}: {value!r} is no {hint.__name__}")


def _decode_decimal(value: Any, where: str) -> Decimal:
    # Text alone: a number would have been through a float on its way.
    if not isinstance(value, str):
        raise Undecodable(f"{where}: {value!r} is no decimal text")
    try:
        return Decimal(value)
    except InvalidOperation as error:
        raise Undecodable(f"{where}: {value!r} is no decimal text") from error


def _decode_enum(kind: type[Enum], value: Any, where: str) -> Enum:
    try:
        return kind(value)
    except ValueError as error:
        raise Undecodable(f"{where}: {value!r} is no {kind.__name__}") from error


def _decode_tuple(parts: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise Undecodable(f"{where}: {value!r} is no list")
    if Ellipsis not in parts and len(parts) != len(value):
        raise Undecodable(f"{where}: {len(value)} items where {len(parts)} belong")
    if len(parts) == 2 and parts[1] is Ellipsis:
        return tuple(_decode_value(parts[0], item, where) for item in value)
    return tuple(_decode_value(part, item, where) for part, item in zip(parts, value, strict=True))
