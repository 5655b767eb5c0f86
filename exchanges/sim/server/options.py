"""What a simulated venue can be told before it starts."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from decimal import Decimal

from exchanges.sim.server.connection import Connection
from exchanges.sim.server.faults import FaultRule
from exchanges.sim.server.keys import ApiKey
from exchanges.sim.server.market_source import SourceFactory
from exchanges.sim.server.windows import BanRule, Window
from exchanges.sim.settings import AccountSpec, EngineConfig

DEMO_KEY = "demoSimulatedVenueKey0000000000000000000000000000000000000000000"
DEMO_SECRET = "demoSimulatedVenueSecret00000000000000000000000000000000000000000"
DEMO_PASSPHRASE = "demoSimulatedVenuePassphrase"
"""Key, secret and passphrase of the account `main`: worth nothing anywhere but at a simulated venue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimAccount:
    """An account with its keys. Each key's `account` must be the specification's name."""

    spec: AccountSpec
    keys: tuple[ApiKey, ...]


def demo_account(*, deposit: Decimal = Decimal(10_000)) -> SimAccount:
    return SimAccount(
        spec=AccountSpec(account="main", deposit=deposit),
        keys=(ApiKey(key=DEMO_KEY, account="main", secret=DEMO_SECRET, passphrase=DEMO_PASSPHRASE),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Where the real venue has changed over time, or does either; the defaults are today's."""

    acks_with_average: bool = False
    """Put `avgPrice` and `cumQuote` into the answers to placing and cancelling, as before 2026-07-15."""
    account_update_first: bool = False
    """Send ACCOUNT_UPDATE before the ORDER_TRADE_UPDATE that caused it."""
    recv_window_at_matching: bool = False
    """Judge the timestamp a second time when the order reaches the matcher."""
    legacy_is_retired: bool = True
    """The old stream roots accept subscriptions and send nothing of market or account."""
    listen_key_validity_ms: int = 3_600_000
    ping_interval_s: float = 180.0
    pong_wait_s: float = 600.0
    connection_lifetime_s: float = 86_400.0
    hang_s: float = 60.0
    """How long a reply that never comes is kept hanging."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOptions:
    """All of a venue; only its market must be named."""

    market: SourceFactory
    protocol: str = "binanceusdm"
    """Which venue's language it speaks."""
    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 0
    speed: float = 1.0
    accounts: tuple[SimAccount, ...] = field(default_factory=lambda: (demo_account(),))
    faults: tuple[FaultRule, ...] = ()
    behaviour: Behaviour = field(default_factory=Behaviour)
    engine: EngineConfig = field(default_factory=lambda: EngineConfig(publish=True))
    windows: tuple[Window, ...] | None = None
    """Request limits instead of the protocol's own."""
    ban: BanRule = field(default_factory=BanRule)
    control_token: str = field(default="", repr=False)
    """Guards /sim/*; empty: one is made and printed at the start."""
    tls: ssl.SSLContext | None = None
    keep_playing: bool = False
    """Begin the tape again at its end."""
    connection: type[Connection] = Connection
    """What every WebSocket of a client is served by: a kind of its own may watch what goes over it."""
