"""Mailboxes without Ray: one thread and one queue for each actor name, messages kept until the actor takes them."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol

from actors.mail.messages import Envelope, Message, Receipt

SIZE = 50_000
AGAIN_S = 0.02
REST_S = 0.5


class PlainActor(Protocol):
    def start(self) -> None: ...

    def receive(self, envelope: Envelope) -> Receipt: ...


Call = tuple[Callable[[], Any], "Future[Any]"]


class Mailbox:
    """One actor's place. What is posted while nobody, or somebody busy, sits here waits, in order."""

    def __init__(self, name: str, failures: list[str]) -> None:
        self.name = name
        self.actor: PlainActor | None = None
        self._failures = failures
        self._incoming: queue.Queue[Envelope | Call | None] = queue.Queue(SIZE)
        self._letters: deque[Envelope] = deque()
        self._ring_at: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"mailbox {name}", daemon=True)

    def open(self) -> None:
        """Begin to serve; before, and after the end, nothing is answered."""
        self._thread.start()

    def put(self, envelope: Envelope) -> None:
        self._incoming.put_nowait(envelope)

    def call(self, act: Callable[[], Any], timeout_s: float = 60.0) -> Any:
        """Run something in the actor's turn; None where it takes too long."""
        if not self._thread.is_alive():
            return None
        answer: Future[Any] = Future()
        self._incoming.put_nowait((act, answer))
        try:
            return answer.result(timeout_s)
        except TimeoutError:
            return None

    def seat(self, actor: PlainActor | None) -> None:
        """Give the place to an actor and start it, or leave it empty."""

        def change() -> None:
            self.actor, self._ring_at = actor, None
            if actor is not None:
                actor.start()

        self.call(change)

    def wake_in(self, delay_ms: int) -> None:
        """Be the waker of the actor that sits here; called in its own turn."""
        self._ring_at = time.monotonic() + delay_ms / 1000

    def end(self) -> None:
        self._incoming.put(None)
        self._thread.join(60)

    def _run(self) -> None:
        """Serve until the end; an exception ends the thread, which the test run reports, and stands as a failure."""
        is_sound = False
        try:
            while (item := self._next()) is not None:
                if isinstance(item, Envelope):
                    self._letters.append(item)
                elif item:
                    act, answer = item
                    answer.set_result(act())
                self._deliver()
                self._ring()
            is_sound = True
        finally:
            if not is_sound:
                self._failures.append(f"{self.name} broke")

    def _next(self) -> Envelope | Call | tuple[()] | None:
        try:
            return self._incoming.get(timeout=self._pause_s())
        except queue.Empty:
            return ()

    def _pause_s(self) -> float:
        until_ring = REST_S if self._ring_at is None else max(0.0, self._ring_at - time.monotonic())
        return min(AGAIN_S if self._letters else REST_S, until_ring)

    def _deliver(self) -> None:
        while self._letters and self.actor is not None:
            if self.actor.receive(self._letters[0]).is_busy:
                return
            self._letters.popleft()

    def _ring(self) -> None:
        if self._ring_at is None or time.monotonic() < self._ring_at:
            return
        self._ring_at = None
        if self.actor is not None:
            self.actor.tick()  # type: ignore[attr-defined]


class PostRoom:
    """All mailboxes of a deployment, and what broke in them."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self._boxes: dict[str, Mailbox] = {}
        self._is_over = False
        self._lock = threading.Lock()
        self._lives = itertools.count(1)

    def box(self, name: str) -> Mailbox:
        with self._lock:
            if name not in self._boxes:
                self._boxes[name] = Mailbox(name, self.failures)
                if not self._is_over:
                    self._boxes[name].open()
            return self._boxes[name]

    def outbox(self, sender: str) -> Outbox:
        """Return the outbox of a new life of an actor."""
        return Outbox(self, sender, f"{next(self._lives):06d}")

    def end(self) -> None:
        with self._lock:
            boxes, self._boxes, self._is_over = list(self._boxes.values()), {}, True
        for box in boxes:
            box.end()


class Outbox:
    """Numbers the messages of one life of an actor, each receiver apart, as the courier does."""

    def __init__(self, room: PostRoom, sender: str, incarnation: str) -> None:
        self._room = room
        self._sender = sender
        self._incarnation = incarnation
        self._numbers: defaultdict[str, itertools.count[int]] = defaultdict(lambda: itertools.count(1))
        self._lock = threading.Lock()

    def post(self, receiver: str, message: Message) -> None:
        """Send one way: kept until taken, in order for each receiver."""
        with self._lock:  # number and place in the queue belong together
            envelope = Envelope(
                sender=self._sender,
                incarnation=self._incarnation,
                sequence=next(self._numbers[receiver]),
                message=message,
            )
            self._room.box(receiver).put(envelope)
