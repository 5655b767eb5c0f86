"""The private stream of the virtual venue: in order while it is up, silent or gone when it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from random import Random

from actors.virtual.agenda import Agenda
from actors.virtual.mishaps import Mishaps
from actors.virtual.settings import Latency
from exchanges.desk.events import StreamState
from grid.order import OrderUpdate
from grid.stop import StopReport

TRADES_TOLD = 0.75
"""The share of trades that the other channel does not lose."""
Listener = Callable[[OrderUpdate | StopReport | StreamState], None]


class PrivateStream:
    """One connection at a time. What happens while nobody is connected is told to nobody, then or later."""

    def __init__(
        self,
        agenda: Agenda,
        mishaps: Mishaps,
        connect_ms: Callable[[], int],
        delay_ms: Callable[[], int],
        state: Callable[[], Iterable[OrderUpdate]] | None = None,
    ) -> None:
        self._agenda = agenda
        self._mishaps = mishaps
        self._connect_ms = connect_ms
        self._delay_ms = delay_ms
        self._state = state
        self._connection = 0
        self._listener: Listener | None = None
        self._is_mute = False
        self._last_ms = 0
        self.mute_since_ms: int | None = None
        """When the open connection fell silent, None while it speaks or is not open."""

    @property
    def is_up(self) -> bool:
        """Whether somebody is connected and hears what happens."""
        return self._listener is not None and not self._is_mute

    def connect(self, listener: Listener) -> None:
        """Open a connection in place of the one before."""
        self.disconnect()
        connection = self._connection

        def confirmed() -> None:
            if connection == self._connection:
                self._listener, self._is_mute = listener, False
                listener(StreamState(is_up=True))
                for update in self._state() if self._state is not None else ():
                    self.tell(update)

        self._agenda.after(self._connect_ms(), "stream", "up", confirmed)

    def disconnect(self) -> None:
        """The one who listened is gone."""
        self._connection += 1
        self._listener, self.mute_since_ms = None, None

    def cut(self, reason: str) -> None:
        """End the connection with an error; it opens again by itself."""
        listener = self._listener
        if listener is None:
            return
        self.disconnect()
        listener(StreamState(is_up=False, reason=reason))
        self.connect(listener)

    def mute(self) -> None:
        """Say nothing more, without an error, until the connection is opened anew."""
        if self.is_up:
            self._is_mute, self.mute_since_ms = True, self._agenda.now_ms

    def tell(self, update: OrderUpdate | StopReport) -> None:
        """Send one event to whoever is connected now."""
        if self._listener is None or self._is_mute:
            return
        delay_ms, connection = self._delay_ms(), self._connection
        for copy in self._mishaps.update(update):
            at_ms = self._agenda.now_ms + delay_ms + copy.more_ms
            if copy.is_in_turn:
                at_ms = self._last_ms = max(at_ms, self._last_ms)
            self._agenda.at(at_ms, "stream", update, lambda: self._deliver(connection, update))

    def _deliver(self, connection: int, update: OrderUpdate | StopReport) -> None:
        if connection == self._connection and self._listener is not None and not self._is_mute:
            self._listener(update)


class PrivateStreams:
    """One for each gateway that the account has. `apart_ms`: a fill's trade follows so much later, by itself."""

    def __init__(
        self,
        agenda: Agenda,
        mishaps: Mishaps,
        rng: Random,
        latency: Latency,
        apart_ms: tuple[int, int] | None,
        state: Callable[[], Iterable[OrderUpdate]] | None,
    ) -> None:
        self._agenda = agenda
        self._mishaps = mishaps
        self._rng = rng
        self._latency = latency
        self._apart_ms = apart_ms
        self._state = state
        self._streams: list[PrivateStream] = []

    def open(self) -> PrivateStream:
        """Return one more."""
        latency = self._latency
        stream = PrivateStream(
            self._agenda,
            self._mishaps,
            lambda: self._draw(latency.connect),
            lambda: self._draw(latency.stream),
            self._state,
        )
        self._streams.append(stream)
        return stream

    def tell_order(self, update: OrderUpdate) -> None:
        """Tell of an order; what a fill was and cost may come apart from it, or never."""
        if update.fill is None or self._apart_ms is None:
            self.tell(update)
            return
        self.tell(replace(update, fill=None))
        if self._rng.random() < TRADES_TOLD:
            self._agenda.after(self._draw(self._apart_ms), "trade", update, lambda: self.tell(update))

    def tell(self, update: OrderUpdate | StopReport) -> None:
        """Tell whoever listens."""
        for stream in self._streams:
            stream.tell(update)

    def _draw(self, bounds: tuple[int, int]) -> int:
        low, high = bounds
        return low if low == high else self._rng.randint(low, high)
