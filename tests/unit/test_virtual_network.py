"""Words between the actors of a virtual world: their lives are told by time, as those of live processes are."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from actors.mail.mailbox import Arrival, Mailbox
from actors.mail.messages import Envelope, Message, Receipt
from actors.virtual.agenda import Agenda
from actors.virtual.mishaps import ONCE, Calm, Copy
from actors.virtual.network import Network
from actors.virtual.settings import Latency
from risk.lease import Go

FEED, GATEWAY = "feed/ETHUSDT", "gateway/virtual/main"


class Listener:
    """Notes how each word came."""

    def __init__(self) -> None:
        self._mailbox = Mailbox()
        self.arrivals: list[Arrival] = []

    def receive(self, envelope: Envelope) -> Receipt:
        self.arrivals.append(self._mailbox.accept(envelope))
        return Receipt()


class LateDouble(Calm):
    """Has the first word come a second time, a minute later."""

    def __init__(self) -> None:
        self._is_over = False

    def message(self, sender: str, receiver: str, message: Message) -> Sequence[Copy]:
        copies = ONCE if self._is_over else (Copy(), Copy(more_ms=60_000, is_in_turn=False))
        self._is_over = True
        return copies


def test_a_late_word_of_a_life_long_over_is_known_for_one_even_by_a_receiver_that_never_met_it() -> None:
    agenda, listener = Agenda(), Listener()
    network = Network(agenda, Latency(), LateDouble(), Random(0))

    def begin(gateway: Listener, number: int) -> None:
        network.register(GATEWAY, gateway)
        outbox = network.outbox(FEED)
        network.register(FEED, Listener())
        outbox.post(GATEWAY, Go(number=number, incarnation=1))

    begin(Listener(), 1)
    agenda.at(30_000, "everything", "starts again", lambda: begin(listener, 2))
    agenda.at(70_000, "time", "passes", lambda: None)
    while agenda.next_ms() is not None:
        agenda.take().action()

    assert listener.arrivals == [Arrival.FIRST, Arrival.DEAD]
