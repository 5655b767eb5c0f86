"""Messages between the actors of one world: numbered, delayed, kept until the receiver lives, lost with the sender."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Protocol

from actors.mail.messages import Envelope, Message, Receipt
from actors.virtual.agenda import Agenda
from actors.virtual.mishaps import Mishaps
from actors.virtual.settings import Latency

RESEND_MS = 200
"""A message to a dead actor fails; its sender tries again after so long, for ever."""


class Receiver(Protocol):
    """An actor's mailbox."""

    def receive(self, envelope: Envelope) -> Receipt:
        """Take a message."""
        ...


@dataclass(slots=True)
class _Life:
    """One life of an actor. The number rises with each start."""

    number: int
    actor: Receiver | None = None


class Network:
    """Who lives, and what is on its way to whom."""

    def __init__(self, agenda: Agenda, latency: Latency, mishaps: Mishaps, rng: Random) -> None:
        self._agenda = agenda
        self._latency = latency
        self._mishaps = mishaps
        self._rng = rng
        self._lives: dict[str, _Life] = {}
        self._sequences: dict[tuple[str, int, str], int] = {}
        self._last_ms: dict[tuple[str, str], int] = {}

    def register(self, name: str, actor: Receiver) -> None:
        """Let a new life of the actor begin."""
        life = self._lives.setdefault(name, _Life(0))
        life.number, life.actor = life.number + 1, actor

    def kill(self, name: str) -> None:
        """End the present life: what it has sent and nobody has taken yet is lost with it."""
        self._lives[name].actor = None

    def is_alive(self, name: str) -> bool:
        """Whether the actor lives now."""
        life = self._lives.get(name)
        return life is not None and life.actor is not None

    def life(self, name: str) -> int:
        """Return the number of the actor's present or last life."""
        life = self._lives.get(name)
        return life.number if life is not None else 0

    def in_life(self, name: str, number: int) -> bool:
        """Whether the actor still is in exactly that life."""
        life = self._lives.get(name)
        return life is not None and life.actor is not None and life.number == number

    def outbox(self, name: str) -> NetworkOutbox:
        """Return the outbox of the life that begins next."""
        return NetworkOutbox(self, name, self.life(name) + 1)

    def post(self, sender: str, life: int, receiver: str, message: Message) -> None:
        """Send one way."""
        key = (sender, life, receiver)
        sequence = self._sequences[key] = self._sequences.get(key, 0) + 1
        envelope = Envelope(sender=sender, incarnation=str(life), sequence=sequence, message=message)
        low, high = self._latency.message
        delay_ms = low if low == high else self._rng.randint(low, high)
        for copy in self._mishaps.message(sender, receiver, message):
            at_ms = self._agenda.now_ms + delay_ms + copy.more_ms
            if copy.is_in_turn:
                at_ms = self._last_ms[(sender, receiver)] = max(at_ms, self._last_ms.get((sender, receiver), 0))
            self._plan(at_ms, life, receiver, envelope)

    def _plan(self, at_ms: int, life: int, receiver: str, envelope: Envelope) -> None:
        self._agenda.at(at_ms, receiver, envelope, lambda: self._deliver(life, receiver, envelope))

    def _deliver(self, life: int, receiver: str, envelope: Envelope) -> None:
        target = self._lives.get(receiver)
        actor = target.actor if target is not None else None
        if actor is not None:
            actor.receive(envelope)
        elif self.in_life(envelope.sender, life):
            self._plan(self._agenda.now_ms + RESEND_MS, life, receiver, envelope)


class NetworkOutbox:
    """Posting on behalf of one life of an actor."""

    def __init__(self, network: Network, name: str, life: int) -> None:
        self._network = network
        self._name = name
        self._life = life

    def post(self, receiver: str, message: Message) -> None:
        """Send one way."""
        self._network.post(self._name, self._life, receiver, message)
