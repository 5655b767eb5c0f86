"""Messages between the actors of one world: numbered, delayed, kept until the receiver lives, lost with the sender."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Protocol

from actors.mail.lane import Lane
from actors.mail.messages import Envelope, Message, Receipt
from actors.virtual.agenda import Agenda
from actors.virtual.mishaps import Mishaps
from actors.virtual.settings import Latency

_Way = tuple[str, int, str]
"""Sender, its life, receiver."""


class Receiver(Protocol):
    """An actor's mailbox."""

    def receive(self, envelope: Envelope) -> Receipt:
        """Take a message."""
        ...


@dataclass(slots=True)
class _Life:
    """One life of an actor. The number rises with each start, `began_ms` is the wall clock's at the start."""

    number: int
    began_ms: int = 0
    actor: Receiver | None = None


class Network:
    """Who lives, and what is on its way to whom."""

    def __init__(self, agenda: Agenda, latency: Latency, mishaps: Mishaps, rng: Random) -> None:
        self._agenda = agenda
        self._latency = latency
        self._mishaps = mishaps
        self._rng = rng
        self._lives: dict[str, _Life] = {}
        self._lanes: dict[_Way, Lane] = {}
        self._last_ms: dict[tuple[str, str], int] = {}

    def register(self, name: str, actor: Receiver) -> None:
        """Let a new life of the actor begin."""
        life = self._lives.setdefault(name, _Life(0))
        life.number, life.began_ms, life.actor = life.number + 1, self._agenda.wall_ms, actor

    def hand_over(self, name: str, actor: Receiver) -> None:
        """Let another object go on in the present life of the actor."""
        self._lives[name].actor = actor

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
        """Send one way, through the lane that a live courier would use; a life that is over has none."""
        key = (sender, life, receiver)
        if not self.in_life(sender, life):
            self._lanes.pop(key, None)
            return
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(sender, f"{self._lives[sender].began_ms:013d}.{life}")
        lane.post(message)
        self._send_due(key)

    def _send_due(self, key: _Way) -> None:
        sender, life, receiver = key
        if not self.in_life(sender, life):
            self._lanes.pop(key, None)
            return
        low, high = self._latency.message
        for attempt, envelope in self._lanes[key].take(self._agenda.now_ms):
            delay_ms = low if low == high else self._rng.randint(low, high)
            copies = self._mishaps.message(sender, receiver, envelope.message)
            if not copies:  # lost for good, as with a receiver that broke over it: only a gap tells of it
                self._lanes[key].acknowledged(envelope.sequence, attempt)
            for copy in copies:
                at_ms = self._agenda.now_ms + delay_ms + copy.more_ms
                if copy.is_in_turn:
                    at_ms = self._last_ms[(sender, receiver)] = max(at_ms, self._last_ms.get((sender, receiver), 0))
                deliver = partial(self._deliver, key, attempt, envelope)
                self._agenda.at(at_ms, receiver, envelope, deliver)

    def _deliver(self, key: _Way, attempt: int, envelope: Envelope) -> None:
        target = self._lives.get(key[2])
        is_taken = False
        try:
            if target is not None and target.actor is not None:
                target.actor.receive(envelope)
                is_taken = True
        finally:  # a receiver that dies of it has not taken it
            self._answer(key, attempt, envelope.sequence, is_taken=is_taken)

    def _answer(self, key: _Way, attempt: int, sequence: int, *, is_taken: bool) -> None:
        lane = self._lanes.get(key)
        if lane is None:
            return
        if is_taken:
            lane.acknowledged(sequence, attempt)
            if lane.is_pressed:
                self._send_due(key)
        elif lane.failed(sequence, attempt, self._agenda.now_ms) and (due_ms := lane.due_ms()) is not None:
            self._agenda.tick(due_ms - self._agenda.now_ms, key[0], partial(self._send_due, key))


class NetworkOutbox:
    """Posting on behalf of one life of an actor."""

    def __init__(self, network: Network, name: str, life: int) -> None:
        self._network = network
        self._name = name
        self._life = life

    def post(self, receiver: str, message: Message) -> None:
        """Send one way."""
        self._network.post(self._name, self._life, receiver, message)
