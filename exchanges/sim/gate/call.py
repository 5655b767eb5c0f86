"""One request as the venue sees it, whichever door it came through, and what it can be asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any

from exchanges.sim.gate.errors import missing_parameter, wrong_parameter

if TYPE_CHECKING:
    from exchanges.sim.gate.venue import GateVenue


class Door(Enum):
    REST = "rest"
    SOCKET = "ws"


class Counted(Enum):
    """Which limit a request is counted against."""

    ORDERS = "orders"
    CANCELS = "cancels"
    READS = "reads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request. `rows` are the items of a batch; `expires_ms` is 0 where it carries no expiry."""

    door: Door
    action: str
    path: str
    peer: str
    received_ms: int
    params: dict[str, Any] = field(default_factory=dict)
    rows: list[Any] = field(default_factory=list)
    account: str = ""
    expires_ms: int = 0
    sizes_as_text: bool = False

    def by(self, account: str) -> Call:
        return replace(self, account=account)

    def text(self, name: str) -> str:
        value = self.params.get(name)
        if value is None or value == "":
            raise missing_parameter(name)
        return str(value)

    def optional(self, name: str, default: str = "") -> str:
        value = self.params.get(name)
        return default if value is None else str(value)

    def whole(self, name: str, default: int | None = None) -> int:
        value = self.params.get(name)
        if value is None and default is not None:
            return default
        try:
            return int(str(value))
        except ValueError:
            raise wrong_parameter(name) from None

    def amount(self, name: str, default: str = "0") -> Decimal:
        try:
            value = Decimal(self.optional(name, default))
        except ArithmeticError:
            raise wrong_parameter(name) from None
        if not value.is_finite():
            raise wrong_parameter(name)
        return value

    def claim(self, name: str) -> bool:
        return str(self.params.get(name, False)).lower() == "true"

    def page(self, rows: list[Any], most: int) -> list[Any]:
        """Return one page of rows by `limit` and `offset`."""
        limit, offset = min(self.whole("limit", 100), most), self.whole("offset", 0)
        if limit < 1 or offset < 0:
            raise wrong_parameter("limit")
        return rows[offset : offset + limit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Something that can be asked, under its path (with the names of its parts) and its method."""

    action: str
    method: str
    path: str
    handler: Callable[[GateVenue, Call], Any]
    counted: Counted = Counted.READS
    is_public: bool = False
    status: int = 200
