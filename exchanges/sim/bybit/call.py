"""One request as the venue sees it, whichever door it came through, and the table entry that answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import TYPE_CHECKING, Any

from exchanges.sim.bybit.errors import parameter

if TYPE_CHECKING:
    from exchanges.sim.bybit.venue import BybitVenue

CATEGORY = "linear"


class Door(Enum):
    REST = "rest"
    WEBSOCKET = "ws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request with its parameters. `account` is empty until the caller is known."""

    door: Door
    action: str
    path: str
    params: dict[str, Any]
    peer: str
    received_ms: int
    account: str = ""

    def has(self, name: str) -> bool:
        return self.params.get(name) not in (None, "")

    def text(self, name: str) -> str:
        if not self.has(name):
            raise parameter(name)
        return self.optional(name)

    def optional(self, name: str, default: str = "") -> str:
        value = self.params.get(name)
        if value in (None, ""):
            return default
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise parameter(name)
        return str(value)

    def symbol(self) -> str:
        return self.text("symbol")

    def whole(self, name: str, default: int = 0) -> int:
        text = self.optional(name, str(default))
        if not text.lstrip("-").isdecimal():
            raise parameter(name)
        return int(text)

    def amount(self, name: str) -> Decimal:
        try:
            value = Decimal(self.text(name))
        except InvalidOperation:
            raise parameter(name) from None
        if not value.is_finite():
            raise parameter(name)
        return value

    def claim(self, name: str) -> bool:
        value = self.params.get(name, False)
        if value not in (True, False, None, ""):
            raise parameter(name)
        return value is True

    def check_category(self) -> None:
        if self.text("category") != CATEGORY:
            raise parameter("category")

    def by(self, account: str) -> Call:
        return replace(self, account=account)

    def of(self, params: dict[str, Any]) -> Call:
        return replace(self, params=params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A success: its result, and what stands beside it."""

    result: Any
    beside: Any = field(default_factory=dict)


Handler = Callable[["BybitVenue", Call], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`counted` names the account's window that a call spends of; a batch spends one for each of its orders."""

    action: str
    method: str
    path: str
    handler: Handler
    is_signed: bool = True
    counted: str = ""
    is_batch: bool = False

    def amount(self, call: Call) -> int:
        rows = call.params.get("request")
        return len(rows) if self.is_batch and isinstance(rows, list) else 1


def page(rows: list[dict[str, Any]], call: Call, *, default: int, most: int) -> dict[str, Any]:
    """Return one page of rows and the cursor of the next; a cursor is the place where its page begins."""
    start = call.whole("cursor")
    limit = call.whole("limit", default)
    if limit < 1 or start < 0:
        raise parameter("limit")
    end = start + min(limit, most)
    return {
        "category": CATEGORY,
        "list": rows[start:end],
        "nextPageCursor": str(end) if end < len(rows) else "",
    }
