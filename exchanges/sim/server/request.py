"""One REST request as a venue sees it, the table entry that answers it, and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar

from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.faults import Subject
from exchanges.sim.server.windows import Kind

V = TypeVar("V", bound=VenueCore)
W = TypeVar("W")
DIGITS_MAX = 20
"""What is longer is no number of a request's."""


class ApiError(Exception):
    """A refusal with the venue's code; `status` is that of the HTTP reply."""

    def __init__(self, code: str, message: str, *, status: int = 200) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class Malformed(Exception):
    """A parameter that is missing or unreadable, before a protocol has words for it."""

    def __init__(self, name: str, *, is_missing: bool = False) -> None:
        super().__init__(name)
        self.name = name
        self.is_missing = is_missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request with its parameters. `account` is empty until the caller is known; `target` is as it was signed."""

    action: str
    method: str
    path: str
    target: str
    body: str
    headers: Mapping[str, str]
    host: str
    params: dict[str, Any]
    peer: str
    received_ms: int
    account: str = ""
    subject: Subject = field(default_factory=Subject)

    def has(self, name: str) -> bool:
        return self.params.get(name) not in (None, "")

    def text(self, name: str) -> str:
        if not self.has(name):
            raise Malformed(name, is_missing=True)
        return self.optional(name)

    def optional(self, name: str, default: str = "") -> str:
        value = self.params.get(name)
        if value in (None, ""):
            return default
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise Malformed(name)
        return str(value)

    def whole(self, name: str, default: int = 0) -> int:
        text = self.optional(name, str(default))
        if not text.isdecimal() or len(text) > DIGITS_MAX:
            raise Malformed(name)
        return int(text)

    def amount(self, name: str) -> Decimal:
        try:
            value = Decimal(self.text(name))
        except InvalidOperation:
            raise Malformed(name) from None
        if not value.is_finite() or abs(value.adjusted()) > DIGITS_MAX:
            raise Malformed(name)
        return value

    def flag(self, name: str) -> bool:
        """Return a claim that may be written as JSON or as a word."""
        value = self.params.get(name, False)
        if isinstance(value, str) and value.lower() in ("true", "false", ""):
            return value.lower() == "true"
        if value is not None and not isinstance(value, bool):
            raise Malformed(name)
        return bool(value)

    def word(self, name: str, words: Mapping[str, W], default: str = "") -> W:
        text = self.optional(name, default)
        if text not in words:
            raise Malformed(name)
        return words[text]

    def by(self, account: str) -> Request:
        return replace(self, account=account)

    def about(self, subject: Subject) -> Request:
        return replace(self, subject=subject)

    def of(self, params: dict[str, Any]) -> Request:
        return replace(self, params=params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Generic[V]):
    """An address of the venue. Parts of `path` in braces become parameters.

    `when` names a parameter and its value where one address does two things: the entry that says so comes first.
    """

    action: str
    method: str
    path: str
    handler: Callable[[V, Request], Any]
    is_signed: bool = True
    weight: int = 1
    kinds: tuple[Kind, ...] = (Kind.WEIGHT,)
    """The windows that a call spends of."""
    when: tuple[str, str] = ("", "")

    def parts_of(self, method: str, path: str) -> dict[str, str] | None:
        """Return the parts that the path names; None where the request is for another address."""
        if method != self.method:
            return None
        wanted, given = self.path.split("/"), path.split("/")
        if len(wanted) != len(given):
            return None
        parts: dict[str, str] = {}
        for want, part in zip(wanted, given, strict=True):
            if want.startswith("{") and part:
                parts[want[1:-1]] = part
            elif want != part:
                return None
        return parts
