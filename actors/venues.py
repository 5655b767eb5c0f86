"""Builds the venue that the settings name."""

from __future__ import annotations

from random import Random

from actors.clock import Clock, SystemClock
from actors.settings import Settings
from actors.settings_venue import Credentials, VenuePlace
from exchanges import adapters
from exchanges.port import MarketVenue, TradingVenue
from exchanges.session.settings import AdapterSettings
from exchanges.session.settings import Credentials as Keys


def trading_venue(settings: Settings, credentials: Credentials) -> TradingVenue:
    """Return the private half; connects on `connect`. Imports ccxt: for the gateway, `check` and `panic` alone."""
    return adapters.trading_venue(settings.venue.name, adapter_settings(settings, credentials))


def market_venue(settings: Settings) -> MarketVenue:
    """Return the public half, which needs no keys."""
    return adapters.market_venue(settings.venue.name, adapter_settings(settings, None))


def market_at(place: VenuePlace, clock: Clock, seed: str) -> MarketVenue:
    """Return the public half for an actor that knows no more than where the venue is."""
    told = AdapterSettings(
        now_ms=clock.now_ms,
        monotonic_ns=clock.monotonic_ns,
        random=Random(seed),
        rest_url=place.rest_url,
        ws_url=place.ws_url,
        is_testnet=place.is_testnet,
    )
    return adapters.market_venue(place.name, told)


def adapter_settings(settings: Settings, credentials: Credentials | None) -> AdapterSettings:
    """Return what the adapter is told."""
    venue, clock = settings.venue, SystemClock()
    keys = None
    if credentials is not None:
        keys = Keys(
            api_key=credentials.api_key.get_secret_value(),
            api_secret=credentials.api_secret.get_secret_value(),
            passphrase=credentials.passphrase.get_secret_value(),
        )
    return AdapterSettings(
        now_ms=clock.now_ms,
        monotonic_ns=clock.monotonic_ns,
        random=Random(clock.monotonic_ns()),
        credentials=keys,
        rest_url=venue.rest_url,
        ws_url=venue.ws_url,
        is_testnet=venue.testnet,
        symbols=tuple(ladder.symbol for ladder in settings.symbols),
        recv_window_ms=settings.gateway.recv_window_ms,
    )
