"""One entry of the venue's interface: who may call it, what it costs, what answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from exchanges.sim.binance.call import Call

if TYPE_CHECKING:
    from exchanges.sim.binance.venue import Venue

Handler = Callable[["Venue", Call], Any]


class Security(Enum):
    NONE = "none"
    KEY = "key"
    SIGNED = "signed"


class Effect(Enum):
    """What a call does: a read may be shown late, a trade waits for the matcher."""

    READ = "read"
    TRADE = "trade"
    SETTING = "setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`weight` counts against the address, `weight_without_symbol` where no symbol is named (None: the same).

    `orders_10s` and `orders_1m` count against the account's order windows.
    """

    action: str
    method: str
    path: str
    handler: Handler
    security: Security = Security.SIGNED
    effect: Effect = Effect.READ
    weight: int = 1
    weight_without_symbol: int | None = None
    weight_by_limit: tuple[tuple[int, int], ...] = ()
    orders_10s: int = 0
    orders_1m: int = 0

    def cost(self, call: Call) -> int:
        if self.weight_by_limit:
            limit = call.optional_whole("limit") or 500
            return next((cost for most, cost in self.weight_by_limit if limit <= most), self.weight_by_limit[-1][1])
        if self.weight_without_symbol is not None and not call.has("symbol"):
            return self.weight_without_symbol
        return self.weight
