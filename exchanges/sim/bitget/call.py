"""One request as the venue sees it, whichever door it came through, and the table entry that answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from exchanges.sim.bitget.errors import missing, parameter

if TYPE_CHECKING:
    from exchanges.sim.bitget.venue import BitgetVenue

PRODUCT = "USDT-FUTURES"
W = TypeVar("W")


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
            raise missing(name)
        return self.optional(name)

    def optional(self, name: str, default: str = "") -> str:
        value = self.params.get(name)
        if value in (None, ""):
            return default
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise parameter(name)
        return str(value)

    def symbol(self) -> str:
        return self.text("symbol").upper()

    def whole(self, name: str, default: int = 0) -> int:
        text = self.optional(name, str(default))
        if not text.isdecimal():
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

    def word(self, name: str, words: dict[str, W], default: str = "") -> W:
        text = self.optional(name, default).lower()
        if text not in words:
            raise parameter(name)
        return words[text]

    def check_product(self) -> None:
        if self.text("productType").upper() != PRODUCT:
            raise parameter("productType")

    def by(self, account: str) -> Call:
        return replace(self, account=account)

    def of(self, params: dict[str, Any]) -> Call:
        return replace(self, params=params)


Handler = Callable[["BitgetVenue", Call], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`counted` names the account's window that a call spends of; without one it is a public read."""

    action: str
    method: str
    path: str
    handler: Handler
    is_signed: bool = True
    counted: str = ""


def page(rows: list[dict[str, Any]], call: Call, key: str, id_key: str, *, default: int) -> dict[str, Any]:
    """Return one page, newest first; `idLessThan` names the last row of the page before. An empty list is null."""
    limit = min(call.whole("limit", default), 100)
    if limit < 1:
        raise parameter("limit")
    before = call.whole("idLessThan")
    kept = [row for row in reversed(rows) if not before or int(row[id_key]) < before][:limit]
    return {key: kept or None, "endId": kept[-1][id_key] if kept else None}


def span(call: Call) -> tuple[int, int]:
    """Return the times between which rows are asked for; 0 means no bound."""
    return call.whole("startTime"), call.whole("endTime")
