"""One request as the venue sees it, whichever door it came through."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from enum import Enum

from exchanges.sim.binance.errors import malformed_parameter, missing_parameter


class Door(Enum):
    REST = "rest"
    WEBSOCKET = "ws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request with its parameters still as text.

    `payload` is the exact text that was signed. `account` is the account's name, empty until the caller is known.
    """

    door: Door
    action: str
    path: str
    params: dict[str, str]
    peer: str
    received_ms: int
    api_key: str = field(default="", repr=False)
    payload: str = field(default="", repr=False)
    account: str = ""

    def has(self, name: str) -> bool:
        return self.params.get(name, "") != ""

    def text(self, name: str) -> str:
        value = self.params.get(name, "")
        if value == "":
            raise missing_parameter(name)
        return value

    def optional(self, name: str, default: str = "") -> str:
        return self.params.get(name, "") or default

    def symbol(self) -> str:
        return self.text("symbol").upper()

    def whole(self, name: str) -> int:
        return _whole(name, self.text(name))

    def optional_whole(self, name: str) -> int | None:
        return _whole(name, self.params[name]) if self.has(name) else None

    def limit(self, default: int, most: int) -> int:
        asked = self.optional_whole("limit")
        if asked is None:
            return default
        if asked < 1:
            raise malformed_parameter("limit")
        return min(asked, most)

    def amount(self, name: str) -> Decimal:
        return _amount(name, self.text(name))

    def optional_amount(self, name: str) -> Decimal | None:
        return _amount(name, self.params[name]) if self.has(name) else None

    def claim(self, name: str, *, default: bool = False) -> bool:
        if not self.has(name):
            return default
        value = self.params[name].lower()
        if value not in ("true", "false"):
            raise malformed_parameter(name)
        return value == "true"

    def by(self, account: str) -> Call:
        return replace(self, account=account)

    def with_params(self, params: dict[str, str]) -> Call:
        return replace(self, params=params)


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise malformed_parameter(name) from None


def _amount(name: str, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise malformed_parameter(name) from None
    if not value.is_finite():
        raise malformed_parameter(name)
    return value
