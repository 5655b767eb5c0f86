"""Which exchanges of ccxt's can be traded, decided at run time from what ccxt says of them; who lacks what, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from exchanges.adapters import NATIVE
from exchanges.generic.facts import WITHOUT_CLIENT_IDS, WITHOUT_REDUCE_ONLY, facts_of
from exchanges.session.one_exchange import ccxt_streaming, streaming_names
from grid.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What ccxt says of an exchange, before anything of it is asked."""

    name: str
    has: dict[str, Any]
    linear: dict[str, Any]
    """Its features of linear swaps; empty where it has none."""
    has_testnet: bool
    needs_passphrase: bool
    needs_wallet: bool
    """Its requests are signed with a wallet's key, of which the settings know nothing."""

    @property
    def lacks(self) -> tuple[str, ...]:
        """Return what makes it unusable here, in words; empty where nothing does."""
        if not self.has.get("swap"):
            return ("perpetual swaps",)
        if not self.linear:
            return ("linear swaps",)
        return tuple(words for words, is_there in NEEDS if not is_there(self)) + facts_of(self.name).lacks


def _has(*abilities: str) -> Callable[[Described], bool]:
    """Return what is true where ccxt has one of these."""
    return lambda told: any(told.has.get(ability) for ability in abilities)


def _places(key: str) -> Callable[[Described], bool]:
    def is_there(told: Described) -> bool:
        found = (told.linear.get("createOrder") or {}).get("timeInForce") or {}
        return bool(found.get(key))

    return is_there


BEYOND_KEYS = ("privateKey", "walletAddress", "uid", "accountId", "login", "twofa", "token")
NEEDS: tuple[tuple[str, Callable[[Described], bool]], ...] = (
    ("signing by key and secret", lambda told: not told.needs_wallet),
    ("client order ids", lambda told: told.name not in WITHOUT_CLIENT_IDS),
    ("reduce-only orders", lambda told: told.name not in WITHOUT_REDUCE_ONLY),
    ("post-only orders", _places("PO")),
    ("cancels", _has("cancelOrder")),
    ("open orders", _has("fetchOpenOrders")),
    ("ended orders", _has("fetchOrder", "fetchOrders", "fetchClosedOrders", "fetchCanceledAndClosedOrders")),
    ("positions", _has("fetchPositions")),
    ("own trades", _has("fetchMyTrades")),
    ("balances", _has("fetchBalance")),
    ("margin brackets", _has("fetchMarketLeverageTiers", "fetchLeverageTiers")),
    ("mark prices", _has("fetchMarkPrice", "fetchFundingRate", "fetchTicker")),
    ("candles", _has("fetchOHLCV")),
    ("a stream of orders", _has("watchOrders")),
    ("a stream of quotes", _has("watchBidsAsks", "watchOrderBook", "watchTicker")),
)


@cache
def described(name: str) -> Described:
    """Return what ccxt says of an exchange with streams; imports that one exchange."""
    kind, _ = ccxt_streaming(name)
    made = kind({"enableRateLimit": False})
    swap = (made.features or {}).get("swap") or {}
    asks = made.requiredCredentials
    return Described(
        name=name,
        has=dict(made.has),
        linear=dict(swap.get("linear") or {}),
        has_testnet=bool(made.urls.get("test")),
        needs_passphrase=bool(asks.get("password")),
        needs_wallet=not asks.get("apiKey") or any(asks.get(key) for key in BEYOND_KEYS),
    )


def complaint(name: str) -> str:
    """Return why an exchange cannot be traded, or an empty text."""
    if name not in streaming_names():
        known = ", ".join(NATIVE)
        return f"has to be one of: {known}; or an exchange of ccxt's with streams (gridmesh venues lists them)"
    lacks = described(name).lacks
    return f"cannot be traded: through ccxt it lacks {', '.join(lacks)}" if lacks else ""


def usable(name: str) -> str:
    """Return the name of an exchange that can be traded; raises `ConfigError` with what another one lacks."""
    rule = complaint(name)
    if rule:
        raise ConfigError("venue.name", name, rule)
    return name
