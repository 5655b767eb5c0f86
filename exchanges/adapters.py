"""Which venues there are and which adapter serves each. What is heavy is imported only when it is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exchanges.port import MarketVenue, TradingVenue
    from exchanges.session.settings import AdapterSettings

NATIVE = ("binanceusdm", "bybit", "gate", "okx", "bitget")
FORCED = "ccxt:"
"""Before the name of an exchange, has it served by the generic adapter although it has one of its own."""
WITH_PASSPHRASE = frozenset({"bitget", "okx"})
"""Where a key has a passphrase besides its secret."""

LACKING: dict[str, dict[str, str]] = {
    "bybit": {"countdown_s": "does not exist at bybit: it cancels by a lost connection of the whole account alone"},
    "bitget": {
        "countdown_s": "does not exist at bitget for a classic account",
        "exchange_stop": "is not placed at bitget: its conditional orders are only read",
    },
    "gate": {"exchange_stop": "does not exist at gate: its conditional orders carry no client id"},
}
"""By venue, the settings of a symbol that its adapter raises `NotSupported` for, and why."""


GENERIC_LACKING = {
    "countdown_s": "does not exist for a symbol through ccxt",
    "exchange_stop": "is not placed through ccxt",
}


def is_generic(name: str) -> bool:
    """Whether the generic adapter serves the name."""
    return name not in NATIVE


def is_tested(name: str) -> bool:
    """Whether the contract suite runs for a name of the generic adapter, at a simulated venue of that language."""
    from exchanges.generic.facts import TESTED

    return name.removeprefix(FORCED) in TESTED


def lacking(name: str) -> Mapping[str, str]:
    """Return the settings of a symbol that the venue's adapter raises `NotSupported` for, and why."""
    return GENERIC_LACKING if is_generic(name) else LACKING.get(name, {})


def complaint(name: str) -> str:
    """Return why a name cannot be traded, or an empty text. Of a name without a native adapter ccxt is asked."""
    if not is_generic(name):
        return ""
    from exchanges.generic.abilities import complaint as of_generic

    return of_generic(name.removeprefix(FORCED))


def needs_passphrase(name: str) -> bool:
    """Whether a key has a passphrase besides its secret there."""
    if not is_generic(name):
        return name in WITH_PASSPHRASE
    from exchanges.generic.abilities import described

    return described(name.removeprefix(FORCED)).needs_passphrase


def trading_venue(name: str, settings: AdapterSettings) -> TradingVenue:
    """Return the private half; connects on `connect`. Imports ccxt: for the gateway, `check` and `panic` alone."""
    match name:
        case "binanceusdm":
            from exchanges.binance.trading import BinanceTrading

            return BinanceTrading(settings)
        case "bybit":
            from exchanges.bybit.trading import BybitTrading

            return BybitTrading(settings)
        case "gate":
            from exchanges.gate.trading import GateTrading

            return GateTrading(settings)
        case "okx":
            from exchanges.okx.trading import OkxTrading

            return OkxTrading(settings)
        case "bitget":
            from exchanges.bitget.trading import BitgetTrading

            return BitgetTrading(settings)
    from exchanges.generic.abilities import usable
    from exchanges.generic.trading import CcxtTrading

    return CcxtTrading(usable(name.removeprefix(FORCED)), settings)


def market_venue(name: str, settings: AdapterSettings) -> MarketVenue:
    """Return the public half, which needs no keys; only the generic one imports ccxt."""
    match name:
        case "binanceusdm":
            from exchanges.binance.market import BinanceMarket

            return BinanceMarket(settings)
        case "bybit":
            from exchanges.bybit.market import BybitMarket

            return BybitMarket(settings)
        case "gate":
            from exchanges.gate.market import GateMarket

            return GateMarket(settings)
        case "okx":
            from exchanges.okx.market import OkxMarket

            return OkxMarket(settings)
        case "bitget":
            from exchanges.bitget.market import BitgetMarket

            return BitgetMarket(settings)
    from exchanges.generic.abilities import usable
    from exchanges.generic.market import CcxtMarket

    return CcxtMarket(usable(name.removeprefix(FORCED)), settings)
