"""Posting between actors: at least once, in order, never awaited.

Ray loses messages to a restarting actor and may double those it retries itself, so it retries none here: each
envelope is kept until its receiver has answered, and sent again after a pause. Everything happens in one thread of the
courier's own; `post` and Ray's call-backs only put news on its queues, and good news wakes nobody: it is read with the
next message.
"""

from __future__ import annotations

import pickle
import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayTaskError

from actors.clock import Clock
from actors.ending import end_process
from actors.mail.lane import Lane
from actors.mail.messages import Envelope, Message
from actors.mail.outbox import Gauges, NoGauges
from actors.runtime.late_log import LateLog

INBOX_MAX = 20_000
SHOW_EVERY_MS = 1_000
TIDY_MS = 500
"""So soon answers are read where nothing more is posted."""


class _Answer(NamedTuple):
    """What Ray says of one sending: whether the receiver was busy, or an error."""

    receiver: str
    sent: tuple[tuple[int, int], ...]
    """Attempt and sequence of each envelope in it."""
    said: Future[bool]

    @property
    def is_good(self) -> bool:
        """Whether the receiver has it."""
        return self.said.exception() is None and not self.said.result()


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
        self._inbox: queue.SimpleQueue[tuple[str, Message] | None] = queue.SimpleQueue()
        self._answers: deque[_Answer] = deque()
        self._lanes: dict[str, Lane] = {}
        self._handles: dict[str, Any] = {}
        self._shown_ms = 0
        self._shown_resends: dict[str, int] = {}
        self._is_pressed = False
        """Whether something waits that an answer lets go."""
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name=f"courier {sender}", daemon=True)

    def start(self) -> None:
        """Start the courier's thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what is not acknowledged is given up."""
        self._is_stopping = True
        self._inbox.put(None)
        self._thread.join(5)

    def post(self, receiver: str, message: Message) -> None:
        """Keep the message until the receiver has it; returns at once."""
        if self._inbox.qsize() >= INBOX_MAX:
            self._log.critical("courier_stuck", inbox=INBOX_MAX)
            self._end()
        self._inbox.put((receiver, message))

    def depths(self) -> dict[str, int]:
        """Return how many messages each receiver has not acknowledged."""
        return {receiver: lane.unacknowledged for receiver, lane in list(self._lanes.items())}

    def resends(self) -> int:
        """Return how many messages were sent again so far."""
        return sum(lane.resends for lane in list(self._lanes.values()))

    def _run(self) -> None:
        wait_s: float | None = None
        while True:
            self._take(wait_s)
            if self._is_stopping:
                return
            wait_s = self._round()

    def _take(self, wait_s: float | None) -> None:
        """Wait for a message, or news that cannot wait, and put all that came into its lanes."""
        try:
            news = self._inbox.get(timeout=wait_s)
            while True:
                if news is not None:
                    receiver, message = news
                    if receiver not in self._lanes:
                        self._lanes[receiver] = Lane(self._sender, self._incarnation)
                    self._lanes[receiver].post(message)
                news = self._inbox.get_nowait()
        except queue.Empty:
            return

    def _round(self) -> float | None:
        """Read the answers and send what may go; return how long nothing is to be done if nothing comes."""
        while True:
            now_ms = self._now_ms()
            while self._answers:
                self._judge(self._answers.popleft(), now_ms)
            self._send_due(now_ms)
            self._is_pressed = any(lane.is_pressed for lane in self._lanes.values())
            # Said first and looked at then: an answer that comes in between is not slept through.
            if not (self._is_pressed and self._answers):
                break
        due = [at_ms for lane in self._lanes.values() if (at_ms := lane.due_ms()) is not None]
        return max(0, min([now_ms + TIDY_MS, *due]) - now_ms) / 1000 if due else None

    def _send_due(self, now_ms: int) -> None:
        for receiver, lane in self._lanes.items():
            if lane.give_up_late(now_ms):
                self._handles.pop(receiver, None)
            if due := lane.take(now_ms):
                self._send(receiver, due)
        if now_ms - self._shown_ms >= SHOW_EVERY_MS:
            self._show(now_ms)

    def _send(self, receiver: str, due: list[tuple[int, Envelope]]) -> None:
        """Send all that is due in one go: a message through Ray costs the same however much is in it."""
        sent = tuple((attempt, envelope.sequence) for attempt, envelope in due)
        handle = self._handle(receiver)
        if handle is None:
            self._fail(receiver, sent, self._now_ms())
            return
        answered = partial(self._on_answer, receiver, sent)
        # Packed here: Ray takes bytes as they are, and would look at each object of anything else.
        letters = pickle.dumps([envelope for _, envelope in due], pickle.HIGHEST_PROTOCOL)
        handle.receive.remote(letters).future().add_done_callback(answered)

    def _handle(self, receiver: str) -> Any:
        handle = self._handles.get(receiver)
        if handle is None:
            try:
                handle = self._handles[receiver] = ray.get_actor(receiver, namespace=self._namespace)
            except ValueError:
                return None  # nobody of that name yet: the lane tries again
        return handle

    def _on_answer(self, receiver: str, sent: tuple[tuple[int, int], ...], said: Future[bool]) -> None:
        """Runs in a thread of Ray's: only hands the news over."""
        answer = _Answer(receiver, sent, said)
        self._answers.append(answer)
        if self._is_pressed or not answer.is_good:
            self._inbox.put(None)

    def _judge(self, answer: _Answer, now_ms: int) -> None:
        receiver, error = answer.receiver, answer.said.exception()
        if answer.is_good:
            self._acknowledge(answer)
        elif error is None:
            self._fail(receiver, answer.sent, now_ms)
        elif isinstance(error, RayTaskError) and not isinstance(error, RayActorError | GetTimeoutError):
            # The receiver broke over it, restarts and asks for the whole; the same again would break it again.
            self._log.error("receiver_failed", receiver=receiver, error=str(error))
            self._acknowledge(answer)
        else:
            self._handles.pop(receiver, None)
            if self._fail(receiver, answer.sent, now_ms):
                self._log.warning("receiver_unreachable", receiver=receiver, error=type(error).__name__)

    def _acknowledge(self, answer: _Answer) -> None:
        for attempt, sequence in answer.sent:
            self._lanes[answer.receiver].acknowledged(sequence, attempt)

    def _fail(self, receiver: str, sent: tuple[tuple[int, int], ...], now_ms: int) -> bool:
        """Have all that is under way to a receiver sent again; returns whether this was news."""
        attempt, sequence = sent[0]
        return self._lanes[receiver].failed(sequence, attempt, now_ms)

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
