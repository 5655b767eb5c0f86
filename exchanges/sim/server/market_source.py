"""What a market must offer to be played at the venue, and the plainest one: a list of events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import Candle, MarketEvent


class MarketSource(Protocol):
    """A market with times of its own: what happened at `tape_start_ms` happens at the venue at `venue_start_ms`."""

    tape_start_ms: int
    venue_start_ms: int

    def instruments(self) -> Iterable[SimInstrument]: ...

    def history(self) -> Iterable[Candle]:
        """Return closed candles from before the start, in venue time."""
        ...

    def events(self) -> Iterator[MarketEvent]:
        """Return the events from the beginning, in tape time."""
        ...


class SourceFactory(Protocol):
    """Makes the market once the venue knows when it starts."""

    def __call__(self, now_ms: int) -> MarketSource: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedMarket:
    """Events at hand, their times counted from the start of the venue."""

    known: tuple[SimInstrument, ...]
    listed: Sequence[MarketEvent] = ()
    candles: Sequence[Candle] = ()

    def __call__(self, now_ms: int) -> MarketSource:
        return _Listed(self, now_ms)


class _Listed:
    def __init__(self, market: ListedMarket, now_ms: int) -> None:
        self._market = market
        self.tape_start_ms = 0
        self.venue_start_ms = now_ms

    def instruments(self) -> Iterable[SimInstrument]:
        return self._market.known

    def history(self) -> Iterable[Candle]:
        return self._market.candles

    def events(self) -> Iterator[MarketEvent]:
        return iter(self._market.listed)
