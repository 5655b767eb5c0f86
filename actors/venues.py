"""Builds the venue that the settings name. What is heavy is imported only when it is built."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from actors.clock import monotonic_ns, now_ms
from actors.settings import Settings
from actors.settings_venue import Credentials
from exchanges.port import MarketVenue, TradingVenue
from grid.errors import ConfigError

if TYPE_CHECKING:
    from exchanges.binance.settings import BinanceSettings


def trading_venue(settings: Settings, credentials: Credentials) -> TradingVenue:
    """Return the private half; connects on `connect`. Imports ccxt: for the gateway, `check` and `panic` alone."""
    from exchanges.binance.trading import BinanceTrading

    return BinanceTrading(binance_settings(settings, credentials))


def market_venue(settings: Settings) -> MarketVenue:
    """Return the public half, which needs no keys."""
    from exchanges.binance.market import BinanceMarket

    return BinanceMarket(binance_settings(settings, None))


def binance_settings(settings: Settings, credentials: Credentials | None) -> BinanceSettings:
    """Return what the adapter is told."""
    from exchanges.binance import settings as binance

    venue = settings.venue
    if venue.testnet:
        rule = "is not known to this adapter: give the test network's addresses as venue.rest_url and venue.ws_url"
        raise ConfigError("venue.testnet", True, rule)
    pair = None
    if credentials is not None:
        pair = binance.Credentials(
            api_key=credentials.api_key.get_secret_value(), api_secret=credentials.api_secret.get_secret_value()
        )
    return binance.BinanceSettings(
        now_ms=now_ms,
        monotonic_ns=monotonic_ns,
        random=random.Random(monotonic_ns()),
        credentials=pair,
        rest_url=venue.rest_url,
        ws_url=venue.ws_url,
        symbols=tuple(ladder.symbol for ladder in settings.symbols),
        recv_window_ms=settings.gateway.recv_window_ms,
    )
