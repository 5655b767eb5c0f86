"""Which venues there are and which adapter serves each. What is heavy is imported only when it is built."""

from __future__ import annotations

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
    "okx": {"exchange_stop": "is not placed at okx: its conditional orders are read alone"},
}
"""By venue, the settings of a symbol that its adapter raises `NotSupported` for, and why."""


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
    """Return the public half, which needs no keys and no ccxt."""
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
