"""Alarms to people through any service that apprise knows, from a thread of its own: trading never waits for it."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Collection, Mapping

from pydantic import SecretStr

from actors.alert_digest import Alarm, AlertKind, Digest, Said, alarm_of
from actors.clock import monotonic_s
from actors.settings.alerts import AlertSettings
from actors.settings.credentials import read_private
from actors.structured_log import log_of
from exchanges.desk.commands import Notice
from grid.errors import ConfigError

QUEUE_MAX = 100
TRIES = 3
PAUSE_S = 2.0
LOOK_S = 1.0
Send = Callable[[str, str], bool]
"""Send a title and a body to everybody; whether all of them took it."""


class Alerter:
    """Takes alarms without ever waiting; what does not fit is counted and said with the next."""

    def __init__(
        self, send: Send, *, kinds: Collection[AlertKind], repeat_s: float, pause_s: float = PAUSE_S, account: str = ""
    ) -> None:
        self._send = send
        self._account = account
        self._kinds = frozenset(kinds)
        self._pause_s = pause_s
        self._digest = Digest(repeat_s)
        self._queue: queue.Queue[Alarm] = queue.Queue(QUEUE_MAX)
        self._lost = 0
        self._ending = threading.Event()
        self._log = log_of("alerts")
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._thread.start()

    def take(self, notice: Notice) -> None:
        """Alarm people if the notice is worth it."""
        alarm = alarm_of(notice)
        if alarm is None or alarm.kind not in self._kinds:
            return
        try:
            self._queue.put_nowait(alarm)
        except queue.Full:
            self._lost += 1

    def close(self, timeout_s: float = 5.0) -> None:
        """Send what waits, for so long, and end."""
        self._ending.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not (self._ending.is_set() and self._queue.empty()):
            try:
                alarm = self._queue.get(timeout=0.05 if self._ending.is_set() else LOOK_S)
            except queue.Empty:
                alarm = None
            said = self._digest.take(alarm, monotonic_s()) if alarm is not None else None
            for one in [*([said] if said is not None else []), *self._digest.due(monotonic_s())]:
                self._say(one)

    def _say(self, said: Said) -> None:
        lost, self._lost = self._lost, 0
        body = said.body + (f" ({lost} further alarms did not fit)" if lost else "")
        for attempt in range(TRIES):
            trouble = self._trouble(said.title(self._account), body)
            if not trouble:
                return
            # Which address failed stays unsaid: it holds a secret.
            self._log.warning("alert_not_sent", kind=said.alarm.kind.value, attempt=attempt + 1, why=trouble)
            if self._ending.wait(self._pause_s * 2**attempt):
                return

    def _trouble(self, title: str, body: str) -> str:
        """Send; return why it failed, nothing where everybody took it. A plugin's own bug costs this alarm alone."""
        try:
            return "" if self._send(title, body) else "not everybody took it"
        except Exception as error:  # noqa: BLE001 - plugins of other hands: an exception must not end all alarms
            return type(error).__name__  # its words may hold an address


def alerter_of(
    settings: AlertSettings, environ: Mapping[str, str] = os.environ, *, account: str = ""
) -> Alerter | None:
    """Return the alerter that is configured, or None; raises `ConfigError` for an address that no service has."""
    urls = alert_urls(settings, environ)
    if not urls:
        return None
    return Alerter(
        apprise_sender(urls), kinds=settings.kinds, repeat_s=float(settings.repeat_minutes) * 60, account=account
    )


def alert_urls(settings: AlertSettings, environ: Mapping[str, str]) -> list[SecretStr]:
    """Return the addresses, one for each word or line of the variable or private file."""
    if settings.urls_env is not None:
        text = environ.get(settings.urls_env, "")
        if not text.strip():
            raise ConfigError("alerts.urls_env", settings.urls_env, "names a variable that is not set")
    elif settings.urls_file is not None:
        text = read_private(settings.urls_file, "alerts.urls_file")
    else:
        return []
    return [SecretStr(word) for line in text.splitlines() if not line.startswith("#") for word in line.split()]


def apprise_sender(urls: Collection[SecretStr]) -> Send:
    """Return what sends to all the addresses; raises `ConfigError` naming an unknown one by its number only."""
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it would write addresses, and so secrets
    everybody = apprise.Apprise()
    for number, url in enumerate(urls, start=1):
        if not everybody.add(url.get_secret_value()):
            raise ConfigError("alerts.urls", f"number {number}", "is no address of a service that apprise knows")

    def send(title: str, body: str) -> bool:
        return bool(everybody.notify(title=title, body=body))

    return send
