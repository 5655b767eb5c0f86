"""What the gateway says to people: a log line each, the last ones in its snapshot, alarms where they are wanted."""

from __future__ import annotations

from typing import Any

from actors.alerter import Alerter, alerter_of
from actors.clock import Clock
from actors.gateway.watching import Watching
from actors.settings.alerts import AlertSettings
from actors.structured_log import log_of
from exchanges.desk.commands import Notice

KEPT = 100
_LEVELS = {"info": 20, "warning": 30, "error": 40, "critical": 50}


class Notices:
    """Keeps the newest notices, oldest first."""

    def __init__(self, name: str, clock: Clock, alerts: AlertSettings, account: str = "") -> None:
        self._log = log_of(name)
        self._clock = clock
        self._alerts = alerts
        self._account = account
        self._alerter: Alerter | None = None
        self._kept: list[dict[str, Any]] = []
        self.watching = Watching(
            near_liquidation=alerts.near_liquidation, refused_orders=alerts.refused_orders, on_notice=self.take
        )

    def begin(self) -> None:
        """Read the addresses of those to be alarmed; raises `ConfigError` for a wrong one."""
        self._alerter = alerter_of(self._alerts, account=self._account)

    def close(self) -> None:
        """Let what waits be sent, for a few seconds."""
        if self._alerter is not None:
            self._alerter.close()

    def take(self, notice: Notice) -> None:
        """Say it."""
        self._log.log(_LEVELS[notice.level], notice.kind, text=notice.text)
        said = {"at_ms": self._clock.now_ms(), "kind": notice.kind, "text": notice.text, "level": notice.level}
        self._kept = [*self._kept[1 - KEPT :], said]
        if self._alerter is not None:
            self._alerter.take(notice)

    def rows(self) -> list[dict[str, Any]]:
        """Return them as plain values; safe from any thread."""
        return list(self._kept)
