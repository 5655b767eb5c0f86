"""Alarms arrive at a real webhook and a real mail server, and a dead one costs trading nothing."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from actors.alert_digest import AlertKind
from actors.alerter import QUEUE_MAX, Alerter, alerter_of, apprise_sender
from actors.settings.alerts import AlertSettings
from exchanges.desk.commands import Notice
from grid.errors import ConfigError
from tests.live_control import still_venue
from tests.live_deployment import deployed, live_settings
from tests.ports import free_port

HELD = Notice(kind="hold", text="hold risk on the account: 3 of 5 coins in danger", level="warning")


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


class Webhook:
    """A web server in a thread that keeps what is posted to it; it may be slow, or refuse."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.refusals = 0
        self.is_open = True
        self.waiting = 0
        self.url = ""
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(60)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(60)
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"json://127.0.0.1:{port}/hook?token=a-secret-of-this-test"
        self._ready.set()
        await self._end.wait()
        await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        self.waiting += 1
        while not self.is_open:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # it is opened from another thread
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=503)
        self.paths.append(request.path)
        self.posts.append(await request.json())
        return web.Response()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    started = Webhook()
    started.start()
    yield started
    started.stop()


@pytest.fixture
def alerters() -> Iterator[list[Alerter]]:
    made: list[Alerter] = []
    yield made
    for alerter in made:
        alerter.close()


def alerter(made: list[Alerter], *urls: str, repeat_s: float = 1_800.0) -> Alerter:
    sender = apprise_sender([SecretStr(url) for url in urls])
    made.append(Alerter(sender, kinds=tuple(AlertKind), repeat_s=repeat_s, pause_s=0.05))
    return made[-1]


def test_an_alarm_reaches_a_webhook(webhook: Webhook, alerters: list[Alerter]) -> None:
    alerter(alerters, webhook.url).take(HELD)

    until(lambda: webhook.posts)
    assert webhook.posts[0]["title"] == "gridmesh: halt"
    assert webhook.posts[0]["message"] == HELD.text


def test_the_same_trouble_is_sent_once_and_then_with_its_count(webhook: Webhook, alerters: list[Alerter]) -> None:
    alarm = alerter(alerters, webhook.url, repeat_s=5)
    for _ in range(7):
        alarm.take(HELD)

    until(lambda: len(webhook.posts) == 2)
    assert webhook.posts[1]["message"] == f"{HELD.text} (6 times since it was last said)"
    time.sleep(0.3)
    assert len(webhook.posts) == 2


def test_a_service_that_refuses_is_tried_again(webhook: Webhook, alerters: list[Alerter]) -> None:
    webhook.refusals = 2

    alerter(alerters, webhook.url).take(HELD)

    until(lambda: len(webhook.posts) == 1)


REPLIES = (
    b"",
    b"\xff\xfe\x00no answer at all\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nraw",
    b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
)


@contextmanager
def misbehaving_webhook() -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers each request with the next piece of nonsense, and in the end as it should."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)

        def serve() -> None:
            with suppress(OSError):
                for reply in (*REPLIES, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"):
                    connection, _ = server.accept()
                    with connection:
                        connection.settimeout(60)
                        heard.append(connection.recv(65_536))
                        connection.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"json://127.0.0.1:{server.getsockname()[1]}/hook", heard
        finally:
            server.close()
            thread.join(60)


def test_a_service_that_answers_nonsense_ends_no_later_alarm(alerters: list[Alerter]) -> None:
    with misbehaving_webhook() as (url, heard):
        alarm = alerter(alerters, url)
        for number in range(len(REPLIES)):
            alarm.take(Notice(kind="hold", text=f"hold risk on COIN{number}: it falls", level="warning"))

        until(lambda: len(heard) > len(REPLIES), 30)


def test_a_plugin_that_raises_ends_no_later_alarm(webhook: Webhook, alerters: list[Alerter]) -> None:
    real, raised = apprise_sender([SecretStr(webhook.url)]), threading.Event()

    def send(title: str, body: str) -> bool:
        if not raised.is_set():
            raised.set()
            raise RuntimeError("a bug of the plugin at a-secret-of-this-test")
        return real(title, body)

    alerters.append(Alerter(send, kinds=tuple(AlertKind), repeat_s=1_800, pause_s=0.05))
    alerters[0].take(HELD)

    until(lambda: webhook.posts)
    assert raised.is_set()


def test_what_nobody_wants_to_hear_is_not_sent(webhook: Webhook, alerters: list[Alerter]) -> None:
    sender = apprise_sender([SecretStr(webhook.url)])
    alerters.append(Alerter(sender, kinds=(AlertKind.MISMATCH,), repeat_s=60))

    alerters[0].take(HELD)
    alerters[0].take(Notice(kind="unexplained", text="7 of equity is unexplained", level="warning"))

    until(lambda: webhook.posts)
    assert [post["title"] for post in webhook.posts] == ["gridmesh: mismatch"]


def test_a_slow_service_never_makes_the_caller_wait_and_what_does_not_fit_is_counted(
    webhook: Webhook, alerters: list[Alerter]
) -> None:
    webhook.is_open = False
    alarm = alerter(alerters, webhook.url)
    alarm.take(HELD)
    until(lambda: webhook.waiting == 1)  # the thread is busy with the first

    for number in range(QUEUE_MAX + 50):
        alarm.take(Notice(kind="hold", text=f"hold price on COIN{number}: silent", level="warning"))
    assert webhook.posts == [], "nobody waited for the service"

    webhook.is_open = True
    until(lambda: any("further alarms did not fit" in post["message"] for post in webhook.posts))


class Mailbox:
    """What an SMTP server was given."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"


def test_an_alarm_reaches_a_mail_server(alerters: list[Alerter]) -> None:
    mailbox = Mailbox()
    port = free_port()
    server = Controller(mailbox, hostname="127.0.0.1", port=port, ready_timeout=60)
    server.start()
    try:
        alerter(alerters, f"mailto://127.0.0.1:{port}?from=grid@example.com&to=me@example.com").take(HELD)
        until(lambda: mailbox.mails)
    finally:
        server.stop()

    assert mailbox.mails[0]["Subject"] == "gridmesh: halt"
    assert "3 of 5 coins" in mailbox.mails[0].as_string()


def test_addresses_come_from_the_environment_or_a_private_file_and_are_never_shown(
    tmp_path: Path, webhook: Webhook
) -> None:
    file = tmp_path / "alerts"
    file.write_text(f"# mine\n{webhook.url}\n")
    os.chmod(file, 0o600)
    for settings in (AlertSettings(urls_env="MY_URLS"), AlertSettings(urls_file=file)):
        made = alerter_of(settings, {"MY_URLS": webhook.url})
        assert made is not None
        assert "a-secret-of-this-test" not in f"{settings} {settings.model_dump()}"
        made.take(HELD)
        made.close()
    until(lambda: len(webhook.posts) == 2)
    assert alerter_of(AlertSettings(), {}) is None

    os.chmod(file, 0o644)
    with pytest.raises(ConfigError, match="may be read by others"):
        alerter_of(AlertSettings(urls_file=file), {})
    with pytest.raises(ConfigError, match=r"MY_URLS.*not set"):
        alerter_of(AlertSettings(urls_env="MY_URLS"), {})
    with pytest.raises(ConfigError, match="number 2") as wrong:
        alerter_of(AlertSettings(urls_env="MY_URLS"), {"MY_URLS": f"{webhook.url} nothing://with-a-secret"})
    assert "with-a-secret" not in str(wrong.value)


def test_a_running_gateway_alarms_and_its_snapshot_holds_no_address(
    tmp_path: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_ALERTS", webhook.url)
    with still_venue() as venue:
        settings = live_settings(
            tmp_path, venue, {"stop_loss": "1"}, alerts={"urls_env": "MY_ALERTS", "kinds": ["halt"]}
        )
        with deployed(settings, venue) as live:
            live.until(lambda: len(live.entries()) == 3, "entries rest")
            venue.walk("ETHUSDT", "2991.5")
            venue.walk("ETHUSDT", "2960")
            live.until(lambda: "stop_loss" in live.holds(), "the stop-loss holds")
            until(lambda: webhook.posts)
            assert "hold stop_loss on ETHUSDT" in webhook.posts[0]["message"]
            assert "a-secret-of-this-test" not in str(live.coordinator.snapshot())


def test_an_alarm_of_one_account_of_several_names_it(webhook: Webhook) -> None:
    made = alerter_of(AlertSettings(urls_env="MY_URLS"), {"MY_URLS": webhook.url}, account="beta")
    assert made is not None
    made.take(HELD)
    until(lambda: webhook.posts)
    made.close()

    assert webhook.posts[0]["title"] == "gridmesh beta: halt"
