"""Plain actor classes inside Ray actors: built lazily in the worker, so that each imports only what it needs."""

from __future__ import annotations

import os
import pickle
import sys
import threading
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import ray

from actors.actor_names import COORDINATOR
from actors.clock import SystemClock
from actors.ending import end_process, last_words, on_last_words
from actors.mail.messages import Envelope, LastWords, Receipt
from actors.runtime.courier import Courier
from actors.runtime.late_log import LateLog
from actors.runtime.metrics import RayGauges
from actors.runtime.plan import ActorPlan
from actors.runtime.waker import ThreadWaker

DEATH_DELAY_S = 0.2
"""The sender hears first that its message was taken, else it would send the same again to the next life."""

LAST_WORDS_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an actor is given of its process."""

    name: str
    incarnation: str
    courier: Courier
    waker: ThreadWaker
    clock: SystemClock
    gauges: RayGauges
    actor_id: str
    """The same for every process that this actor ever has, and for no other actor anywhere."""
    is_restarted: bool
    """Whether an earlier process of this actor has died."""


class PlainActor(Protocol):
    """What every actor class has."""

    def start(self) -> None: ...

    def receive(self, envelope: Envelope) -> Receipt: ...

    def snapshot(self) -> dict[str, Any]: ...


class Hosted:
    """The body of every Ray actor. Its constructor does no I/O and cannot fail: a starter thread builds the actor.

    Until it is built the answer is busy, so nothing sent meanwhile is lost. What goes wrong while building, or in a
    message, ends the process; Ray starts it again.
    """

    def __init__(self, plan: ActorPlan) -> None:
        self._plan = plan
        self._log = LateLog(plan.name, as_json=plan.log_as_json)
        self._actor: PlainActor | None = None
        self._incarnation = f"{SystemClock().now_ms():013d}.{os.getpid()}"
        self._self = ray.get_runtime_context().current_actor
        threading.Thread(target=self._build, name=f"start {plan.name}", daemon=True).start()

    def __repr__(self) -> str:
        return self._plan.name

    @ray.method(enable_task_events=False)
    def receive(self, letters: bytes) -> bool:
        """Take envelopes of another actor, in order; returns whether this one is too busy for one, and all after it."""
        actor = self._actor
        if actor is None:
            return True
        envelopes: list[Envelope] = pickle.loads(letters)
        for envelope in envelopes:
            try:
                if actor.receive(envelope).is_busy:
                    return True
            except BaseException as error:
                self._break(f"{type(envelope.message).__name__} from {envelope.sender}", error)
                raise
        return False

    @ray.method(enable_task_events=False)
    def tick(self) -> None:
        """Pass on the waker's ring."""
        if self._actor is None:
            return
        try:
            self._actor.tick()  # type: ignore[attr-defined]
        except BaseException as error:
            self._break("tick", error)
            raise

    def ask(self, question: str, *arguments: Any) -> Any:
        """Answer a query by name (`snapshot`, `explain`, ...); None while starting. For the command line only."""
        if self._actor is None:
            return None
        return getattr(self._actor, question)(*arguments)

    def process(self) -> int:
        """Return the process id."""
        return os.getpid()

    def incarnation(self) -> str:
        """Return which life of the actor this is; answered while it is still being built."""
        return self._incarnation

    def _ring(self) -> None:
        self._self.tick.remote()

    def _build(self) -> None:
        plan, clock = self._plan, SystemClock()
        try:
            on_last_words(self._say_last)
            incarnation = self._incarnation
            gauges = RayGauges(plan.deployment, plan.account)
            courier = Courier(
                sender=plan.name,
                incarnation=incarnation,
                namespace=plan.deployment,
                clock=clock,
                log=self._log,
                gauges=gauges,
            )
            waker = ThreadWaker(plan.name, self._ring, clock)
            around = Surroundings(
                name=plan.name,
                incarnation=incarnation,
                courier=courier,
                waker=waker,
                clock=clock,
                gauges=gauges,
                actor_id=str(ray.get_runtime_context().get_actor_id() or ""),
                is_restarted=bool(ray.get_runtime_context().was_current_actor_reconstructed),
            )
            module, _, function = plan.build.partition(":")
            build = getattr(import_module(module), function)
            actor: PlainActor = build(around, **plan.arguments)
            if "structlog" in sys.modules:
                self._log.set_up()
            courier.start()
            waker.start()
            actor.start()
        except BaseException as error:
            self._log.critical("start_failed", exc_info=error)
            last_words(f"it could not be built: {error!r}")
            end_process()
            raise
        self._actor = actor

    def _break(self, what: str, error: BaseException) -> None:
        self._log.critical("actor_broke", what=what, exc_info=error)
        last_words(f"{what}: {error!r}")
        threading.Timer(DEATH_DELAY_S, end_process).start()

    def _say_last(self, why: str) -> None:
        """Tell the coordinator what this process dies of, as far as that goes within a moment."""
        speaker = threading.Thread(target=self._tell_coordinator, args=(why,), daemon=True)
        speaker.start()
        speaker.join(LAST_WORDS_S)

    def _tell_coordinator(self, why: str) -> None:
        try:
            coordinator = ray.get_actor(COORDINATOR, namespace=self._plan.deployment)
        except ValueError:
            return
        words = Envelope(sender=self._plan.name, incarnation=self._incarnation, sequence=0, message=LastWords(why=why))
        ray.wait([coordinator.receive.remote(pickle.dumps([words]))], timeout=LAST_WORDS_S)


def remote_class(kind: str) -> Any:
    """Return the Ray actor class of a kind; its name is what the dashboard shows."""
    return ray.remote(type(kind, (Hosted,), {}))
