"""Builds the venue that the settings name."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from actors.clock import Clock, SystemClock
from actors.settings.account import Settings
from actors.settings.paper import PaperSettings
from actors.settings.venue import Credentials, VenuePlace
from exchanges import adapters
from exchanges.paper.terms import PaperTerms, ways_of
from exchanges.port import MarketVenue, TradingVenue
from exchanges.session.settings import AdapterSettings
from exchanges.session.settings import Credentials as Keys

if TYPE_CHECKING:
    from exchanges.paper.trading import PaperTrading


def trading_venue(settings: Settings, credentials: Credentials) -> TradingVenue:
    """Return the private half; connects on `connect`. Imports ccxt: for the gateway, `check` and `panic` alone."""
    if settings.is_paper:
        return paper_trading(settings)
    return adapters.trading_venue(settings.venue.name, adapter_settings(settings, credentials))


def paper_trading(settings: Settings, *, read_only: bool = False) -> PaperTrading:
    """Return the paper account; with `read_only` as it is told, never as it is kept."""
    from exchanges.paper.store import PaperStore
    from exchanges.paper.trading import PaperTrading

    clock = SystemClock()
    return PaperTrading(
        market=market_venue(settings),
        terms=paper_terms(settings),
        store=PaperStore(settings.paper_account_path, read_only=read_only),
        now_ms=clock.now_ms,
        monotonic_ns=clock.monotonic_ns,
    )


def paper_terms(settings: Settings) -> PaperTerms:
    """Return the terms that the settings name, and defaults for the rest."""
    paper = settings.paper or PaperSettings()
    return PaperTerms(
        symbols=tuple(ladder.symbol for ladder in settings.symbols),
        watched=settings.risk.watch if settings.risk.enabled else (),
        balance=paper.balance,
        leverage=min(paper.leverage, settings.risk.max_leverage),
        maker_fee=paper.maker_fee,
        taker_fee=paper.taker_fee,
        funding_rate=paper.funding_rate,
        latency_min_ms=paper.latency_min_ms,
        latency_max_ms=paper.latency_max_ms,
        seed=paper.seed,
        ways=ways_of(settings.venue.name),
    )


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
