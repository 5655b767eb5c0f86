"""Small actors of the tests; they run inside the same host, courier and mailbox as the real ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from actors.mail.mailbox import Mailbox
from actors.mail.messages import Envelope, Receipt, SetupWanted, SlotsWanted, Tellings
from grid.intent import Standing, Told
from grid.slot import SlotState
from tests.grid_setup import example_setup

if TYPE_CHECKING:
    from actors.runtime.hosted import Surroundings


class Recorder:
    """Writes each fresh message's number to a file before it acknowledges: what it says it has survives a kill."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._mailbox = Mailbox()

    def start(self) -> None:
        """Nothing to begin."""

    def receive(self, envelope: Envelope) -> Receipt:
        """Write the number down."""
        if self._mailbox.accept(envelope).is_fresh:
            assert isinstance(envelope.message, SetupWanted)
            with self._path.open("a") as out:
                out.write(envelope.message.receiver + "\n")
        return Receipt()

    def snapshot(self) -> dict[str, Any]:
        """Return how messages came in this life."""
        return self._mailbox.counts


class Poster:
    """Posts numbered messages when asked."""

    def __init__(self, around: Surroundings, receiver: str) -> None:
        self._around = around
        self._receiver = receiver

    def start(self) -> None:
        """Nothing to begin."""

    def receive(self, envelope: Envelope) -> Receipt:
        """Nobody writes here."""
        return Receipt()

    def post(self, first: int, count: int) -> None:
        """Post messages with these numbers; none of them is merged with another."""
        for number in range(first, first + count):
            self._around.courier.post(self._receiver, SetupWanted(receiver=str(number), symbol="ETHUSDT"))

    def snapshot(self) -> dict[str, Any]:
        """Return what is not acknowledged, and how often something was sent again."""
        return {
            "unacknowledged": sum(self._around.courier.depths().values()),
            "resends": self._around.courier.resends(),
        }


class SmallGateway:
    """Answers whoever asks for setup or slots: the example's levels, everything empty, no hold."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._mailbox = Mailbox()
        self._asked: list[str] = []

    def start(self) -> None:
        """Nothing to begin."""

    def receive(self, envelope: Envelope) -> Receipt:
        """Answer."""
        if self._mailbox.accept(envelope).is_fresh:
            self._answer(envelope)
        return Receipt()

    def snapshot(self) -> dict[str, Any]:
        """Return who asked for setup, in order."""
        return {"asked": list(self._asked)}

    def _answer(self, envelope: Envelope) -> None:
        post, message = self._around.courier.post, envelope.message
        standing = Standing(symbol="ETHUSDT", halt_epoch=1, holds=())
        match message:
            case SetupWanted():
                self._asked.append(message.receiver)
                post(message.receiver, example_setup())
                post(message.receiver, standing)
            case SlotsWanted():
                told = tuple(Told(state=SlotState(key=key, version=0), standing=standing) for key in message.keys)
                post(message.receiver, Tellings(told=told))
            case _:
                pass


class Breaking:
    """Raises over a message that names it; writes the number of any other to a file."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._mailbox = Mailbox()

    def start(self) -> None:
        """Nothing to begin."""

    def receive(self, envelope: Envelope) -> Receipt:
        """Break over number 3."""
        assert isinstance(envelope.message, SetupWanted)
        if envelope.message.receiver == "3":
            raise RuntimeError("number 3 breaks it")
        if self._mailbox.accept(envelope).is_fresh:
            with self._path.open("a") as out:
                out.write(envelope.message.receiver + "\n")
        return Receipt()

    def snapshot(self) -> dict[str, Any]:
        """Return how messages came in this life."""
        return self._mailbox.counts


def recorder(around: Surroundings, *, path: str) -> Recorder:
    """Build a recorder."""
    return Recorder(path)


def poster(around: Surroundings, *, receiver: str) -> Poster:
    """Build a poster."""
    return Poster(around, receiver)


def small_gateway(around: Surroundings) -> SmallGateway:
    """Build a small gateway."""
    return SmallGateway(around)


def breaking(around: Surroundings, *, path: str) -> Breaking:
    """Build an actor that breaks."""
    return Breaking(path)
