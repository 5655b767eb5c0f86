"""How fast orders may go, when risk says no, and how the actors are laid out."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from actors.settings.fields import PLACE, Exact, File, Section, broken
from actors.settings.ownership import database_rule
from actors.settings.venue import ENV_NAME

INTERVALS = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d")


class GatewaySettings(Section):
    """The order gateway of the account."""

    orders_per_second: Exact = Field(
        Decimal(25), gt=0, le=300, description="ceiling below the venue's own limits, in orders/s"
    )
    burst: int = Field(30, ge=1, le=300, description="orders that may go at once after a pause")
    recv_window_ms: int = Field(2000, ge=100, le=5000, description="age at which the venue refuses an order, in ms")
    echo_timeout_s: Exact = Field(
        Decimal(2), gt=0, le=60, description="an acknowledged order shows on the stream within so long, in s"
    )
    mark_band: Exact = Field(
        Decimal("0.1"), gt=0, le=Decimal("0.5"), description="furthest an order may lie from mark, as a fraction"
    )


_OF_DETECTOR = {
    "fall_window": "fall",
    "fall_multiplier": "fall",
    "fall_min": "fall",
    "fall_max": "fall",
    "baseline_window": "fall",
    "average_window": "volume",
    "volume_multiplier": "volume",
}


class RiskSettings(Section):
    """The detector of market-wide falls and the checks before the start."""

    enabled: bool = Field(True, description="false trades without the detector; start-up says so")
    detector: Literal["fall", "volume"] = Field("fall", description="by which rule a coin is anomalous")
    watch: tuple[str, ...] = Field(
        ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT"), description="coins whose candles are watched"
    )
    interval: str = Field("1m", description="length of a candle, one of " + ", ".join(INTERVALS))
    fall_window: int = Field(10, ge=1, le=500, description="fall: candles within which the price has to drop")
    fall_multiplier: Exact = Field(
        Decimal(11), gt=0, le=1000, description="fall: a drop of so many usual moves from close to close is anomalous"
    )
    fall_min: Exact = Field(
        Decimal("0.015"), gt=0, lt=1, description="fall: a lesser drop never is, as a fraction of the price"
    )
    fall_max: Exact = Field(Decimal("0.03"), gt=0, lt=1, description="fall: so great a drop always is, as a fraction")
    baseline_window: int = Field(
        1440, ge=1, le=1495, description="fall: closed candles in the usual move; fewer are known at first"
    )
    average_window: int = Field(20, ge=2, le=500, description="volume: closed candles in the means")
    volume_multiplier: Exact = Field(
        Decimal(3), gt=1, le=100, description="volume: volume above so many means is anomalous"
    )
    trigger_symbols: int | None = Field(None, ge=1, description="anomalous coins that halt; left out, a majority")
    recovery_symbols: int | None = Field(None, ge=1, description="calm coins that resume; left out, a majority")
    max_leverage: int = Field(10, ge=1, le=125, description="start is refused above this leverage")
    required_positions: int = Field(100, ge=1, description="lots that the balance has to afford, or start is refused")
    stale_s: Exact = Field(
        Decimal(30), gt=0, le=600, description="a coin without a message for so long counts as danger, in s"
    )
    min_hold_s: Exact = Field(Decimal(60), ge=0, le=86400, description="a halt lasts at least so long, in s")
    errors_max: int = Field(20, ge=1, description="more venue errors than this within errors_window_s halt")
    errors_window_s: Exact = Field(
        Decimal(60), ge=1, le=3600, description="window of errors_max; half as many in it resume, in s"
    )

    @model_validator(mode="after")
    def _rules(self) -> RiskSettings:
        broken(self._broken())
        return self

    def _broken(self) -> list[tuple[str, object, str]]:
        found: list[tuple[str, object, str]] = []
        if self.interval not in INTERVALS:
            found.append(("interval", self.interval, f"has to be one of {', '.join(INTERVALS)}"))
        if self.enabled and not self.watch:
            found.append(("watch", "[]", "has to name at least one coin while risk.enabled is true"))
        if len(set(self.watch)) < len(self.watch):
            found.append(("watch", ", ".join(self.watch), "names a coin twice"))
        for key, detector in _OF_DETECTOR.items():
            value = getattr(self, key)
            if detector != self.detector and value != type(self).model_fields[key].default:
                rule = f"has no effect: it belongs to the {detector} detector, and risk.detector is {self.detector}"
                found.append((key, value, rule))
        if self.fall_min > self.fall_max:
            found.append(("fall_min", self.fall_min, f"can be at most fall_max, {self.fall_max}"))
        for key in ("trigger_symbols", "recovery_symbols"):
            count = getattr(self, key)
            if count is not None and count > len(self.watch):
                found.append((key, count, f"can be at most {len(self.watch)}, the number of coins in risk.watch"))
        return found


class RuntimeSettings(Section):
    """The actors: where they run and how many levels each serves."""

    address: str = Field(
        "local",
        pattern=r"^(local|[A-Za-z0-9.-]+:[0-9]{1,5}|\[[0-9a-f:]+\]:[0-9]{1,5})$",
        description="`local`, or host:port of a running Ray cluster",
        json_schema_extra={"rule": "has to be local or host:port; auto would join any cluster of this machine"},
    )
    account_place: str | None = Field(
        None,
        pattern=PLACE,
        description="custom resource of the node with keys and journal: gateway, supervisor, reconciler, coordinator",
        json_schema_extra={"rule": "has to be a name of letters, digits, _ and -"},
    )
    slots_per_actor: int = Field(
        1,
        ge=1,
        le=10_000,
        description="price levels served by one actor; symbols of one feed share it as far as they fit",
    )
    symbols_per_actor: int = Field(1, ge=1, le=200, description="symbols served by one price feed")
    look_ahead: int = Field(2, ge=0, le=100, description="levels kept ready beyond the window on each side")
    push_interval_ms: int = Field(50, ge=1, le=10000, description="at most one update to observers in so long, in ms")
    reconcile_s: Exact = Field(
        Decimal(10), gt=0, le=3600, description="book and venue are compared every so often, in s"
    )
    price_age_s: Exact = Field(
        Decimal(5), gt=0, le=600, description="a price older than this is probed, then unknown, in s"
    )
    dashboard: bool = Field(True, description="start Ray's dashboard, on loopback (address local)")
    dashboard_port: int = Field(0, ge=0, le=65535, description="port of Ray's dashboard; 0 takes a free one")
    metrics_port: int = Field(
        0, ge=0, le=65535, description="port of Ray's metrics (address local); 0 takes a free one"
    )
    log_json: bool = Field(False, description="log lines as JSON objects, one a line, for machines to read")


class JournalSettings(Section):
    """Where the book's memory lies."""

    path: File | None = Field(None, description="file of the journal; left out, <deployment>.sqlite in the run folder")
    url: str | None = Field(
        None, description="a PostgreSQL database instead, without a password: postgresql://user@host/db"
    )
    url_env: str | None = Field(
        None,
        pattern=r"^[A-Z_][A-Z0-9_]{0,63}$",
        description="name of the environment variable that holds the database's URL, password and all",
        json_schema_extra=ENV_NAME,
    )
    url_file: File | None = Field(None, description="file that holds the database's URL; mode 0600, yours")

    @property
    def is_file(self) -> bool:
        """Whether it lies in a file of this host."""
        return self.url is None and self.url_env is None and self.url_file is None

    @model_validator(mode="after")
    def _rules(self) -> JournalSettings:
        named = [key for key in ("path", "url", "url_env", "url_file") if getattr(self, key) is not None]
        found: list[tuple[str, object, str]] = []
        if len(named) > 1:
            found.append((named[1], "(hidden)", f"excludes {named[0]}: name one place, not two"))
        if self.url is not None and (rule := database_rule(self.url)):
            found.append(("url", "(hidden)", rule))
        broken(found)
        return self
