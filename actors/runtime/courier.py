"""Posting between actors: at least once, in order, never awaited.

Ray loses messages to a restarting actor and may double those it retries itself, so it retries none here: each
envelope is kept until its receiver has answered, and sent again after a pause. Everything happens in one thread of the
courier's own; `post` and Ray's call-backs only put news on its queue.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayTaskError

from actors.clock import Clock
from actors.ending import end_process
from actors.lane import Lane
from actors.messages import Envelope, Message, Receipt
from actors.outbox import Gauges, NoGauges
from actors.runtime.late_log import LateLog

INBOX_MAX = 20_000
SHOW_EVERY_MS = 1_000

_Post = tuple[str, Message]
_News = Callable[[int], None]


class Courier:
    """The `Outbox` of one actor process. `incarnation` is new with each start of the process."""

    def __init__(
        self,
        *,
        sender: str,
        incarnation: str,
        namespace: str,
        clock: Clock,
        log: LateLog,
        gauges: Gauges | None = None,
        end: Callable[[], None] = end_process,
    ) -> None:
        self._sender = sender
        self._incarnation = incarnation
        self._namespace = namespace
        self._clock = clock
        self._log = log
        self._gauges = gauges or NoGauges()
        self._end = end
        self._inbox: queue.Queue[_Post | _News | None] = queue.Queue(INBOX_MAX)
        self._lanes: dict[str, Lane] = {}
        self._handles: dict[str, Any] = {}
        self._shown_ms = 0
        self._shown_resends: dict[str, int] = {}
        self._thread = threading.Thread(target=self._run, name=f"courier {sender}", daemon=True)

    def start(self) -> None:
        """Start the courier's thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what is not acknowledged is given up."""
        self._put(None)
        self._thread.join(5)

    def post(self, receiver: str, message: Message) -> None:
        """Keep the message until the receiver has it; returns at once."""
        self._put((receiver, message))

    def depths(self) -> dict[str, int]:
        """Return how many messages each receiver has not acknowledged."""
        return {receiver: lane.unacknowledged for receiver, lane in list(self._lanes.items())}

    def resends(self) -> int:
        """Return how many messages were sent again so far."""
        return sum(lane.resends for lane in list(self._lanes.values()))

    def _put(self, item: _Post | _News | None) -> None:
        try:
            self._inbox.put_nowait(item)
        except queue.Full:
            self._log.critical("courier_stuck", inbox=INBOX_MAX)
            self._end()

    def _run(self) -> None:
        while True:
            news = self._wait()
            while news is not _NOTHING:
                if news is None:
                    return
                self._take(news)
                news = self._next()
            self._send_due()

    def _wait(self) -> Any:
        now_ms = self._now_ms()
        due = [at_ms for lane in self._lanes.values() if (at_ms := lane.due_ms()) is not None]
        try:
            return self._inbox.get(timeout=max(0.0, (min(due) - now_ms) / 1000) if due else None)
        except queue.Empty:
            return _NOTHING

    def _next(self) -> Any:
        try:
            return self._inbox.get_nowait()
        except queue.Empty:
            return _NOTHING

    def _take(self, news: Any) -> None:
        if callable(news):
            news(self._now_ms())
            return
        receiver, message = news
        lane = self._lanes.get(receiver)
        if lane is None:
            lane = self._lanes[receiver] = Lane(self._sender, self._incarnation)
        lane.post(message)

    def _send_due(self) -> None:
        now_ms = self._now_ms()
        for receiver, lane in self._lanes.items():
            if lane.give_up_late(now_ms):
                self._handles.pop(receiver, None)
            for attempt, envelope in lane.take(now_ms):
                if not self._send(receiver, attempt, envelope):
                    break  # the lane keeps the rest too: sent now, they would overtake this one
        if now_ms - self._shown_ms >= SHOW_EVERY_MS:
            self._show(now_ms)

    def _send(self, receiver: str, attempt: int, envelope: Envelope) -> bool:
        handle = self._handle(receiver)
        if handle is None:
            self._lanes[receiver].failed(envelope.sequence, attempt, self._now_ms())
            return False
        answered = partial(self._on_answer, receiver, attempt, envelope.sequence)
        handle.receive.remote(envelope).future().add_done_callback(answered)
        return True

    def _handle(self, receiver: str) -> Any:
        handle = self._handles.get(receiver)
        if handle is None:
            try:
                handle = self._handles[receiver] = ray.get_actor(receiver, namespace=self._namespace)
            except ValueError:
                return None  # nobody of that name yet: the lane tries again
        return handle

    def _on_answer(self, receiver: str, attempt: int, sequence: int, answer: Future[Receipt]) -> None:
        """Runs in a thread of Ray's: only hands the news over."""
        self._put(partial(self._judge, receiver, attempt, sequence, answer))

    def _judge(self, receiver: str, attempt: int, sequence: int, answer: Future[Receipt], now_ms: int) -> None:
        lane = self._lanes[receiver]
        error = answer.exception()
        if error is None:
            if answer.result().is_busy:
                lane.failed(sequence, attempt, now_ms)
            else:
                lane.acknowledged(sequence, attempt)
            return
        if isinstance(error, RayTaskError) and not isinstance(error, RayActorError | GetTimeoutError):
            # The receiver broke over it, restarts and asks for the whole; the same again would break it again.
            self._log.error("receiver_failed", receiver=receiver, error=str(error))
            lane.acknowledged(sequence, attempt)
            return
        self._handles.pop(receiver, None)
        if lane.failed(sequence, attempt, now_ms):
            self._log.warning("receiver_unreachable", receiver=receiver, error=type(error).__name__)

    def _show(self, now_ms: int) -> None:
        self._shown_ms = now_ms
        self._gauges.set("gridmesh_unacknowledged", sum(self.depths().values()), actor=self._sender)
        for receiver, lane in self._lanes.items():
            more = lane.resends - self._shown_resends.get(receiver, 0)
            if more:
                self._shown_resends[receiver] = lane.resends
                self._gauges.count("gridmesh_resends", more, actor=self._sender, receiver=receiver)

    def _now_ms(self) -> int:
        return self._clock.monotonic_ns() // 1_000_000


_NOTHING = object()
