"""One request as the venue sees it, whichever door it came through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import TYPE_CHECKING, Any

from exchanges.sim.okx.errors import ApiError

if TYPE_CHECKING:
    from exchanges.sim.okx.venue import OkxVenue

Row = dict[str, Any]


class Door(Enum):
    REST = "rest"
    WEBSOCKET = "ws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request: its query, or the rows of its body. `account` is empty until the caller is known."""

    door: Door
    action: str
    path: str
    rows: list[Row]
    peer: str
    received_ms: int
    expires_ms: int = 0
    account: str = ""
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    signed_text: str = field(default="", repr=False)

    @property
    def params(self) -> Row:
        return self.rows[0] if self.rows else {}

    def optional(self, name: str, default: str = "") -> str:
        value = self.params.get(name)
        return default if value in (None, "") else str(value)

    def text(self, name: str) -> str:
        return text(self.params, name)

    def whole(self, name: str, default: int = 0) -> int:
        value = self.optional(name)
        try:
            return int(value) if value else default
        except ValueError:
            raise ApiError(400, "51000", f"Parameter {name} error") from None

    def limit(self, most: int = 100) -> int:
        return max(1, min(self.whole("limit", most), most))

    def by(self, account: str) -> Call:
        return replace(self, account=account)


def text(row: Row, name: str) -> str:
    value = row.get(name)
    if value in (None, ""):
        raise ApiError(400, "50014", f"Parameter {name} can not be empty.")
    return str(value)


def amount(row: Row, name: str) -> Decimal:
    try:
        return Decimal(text(row, name))
    except InvalidOperation:
        raise ApiError(400, "51000", f"Parameter {name} error") from None


Handler = Callable[["OkxVenue", Call], Sequence[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One entry of the interface: at most `limit` calls in 2 s, by account and instrument, or by address."""

    action: str
    method: str
    path: str
    handler: Handler
    limit: int
    is_private: bool = True
    has_items: bool = False
    """Whether each row of the answer has a code of its own."""
