"""Where a venue's market comes from: the generator, or recorded files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from exchanges.sim.catalogue import demo_instruments
from exchanges.sim.generator import DEMO_COINS, CoinPlan, DemoTape
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import Candle, MarketEvent
from exchanges.sim.server.market_source import MarketSource
from exchanges.sim.tape import open_tape, tape_symbols

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedMarket:
    """The seeded demo market. It starts at the next whole second, so that its one-second candles are whole."""

    seed: int
    duration_ms: int
    lead_ms: int = 0
    """How much of it ranges before the program begins."""
    coins: tuple[CoinPlan, ...] = DEMO_COINS

    def __call__(self, now_ms: int) -> MarketSource:
        start_ms = -(-now_ms // 1000) * 1000
        return _Generated(self._tape(start_ms), start_ms)

    def _tape(self, start_ms: int) -> DemoTape:
        return DemoTape(
            seed=self.seed,
            start_ms=start_ms,
            duration_ms=self.duration_ms,
            lead_ms=self.lead_ms,
            coins=self.coins,
        )


class _Generated:
    def __init__(self, tape: DemoTape, start_ms: int) -> None:
        self._tape = tape
        self.tape_start_ms = self.venue_start_ms = start_ms

    def instruments(self) -> Iterable[SimInstrument]:
        return self._tape.instruments()

    def history(self) -> Iterable[Candle]:
        return self._tape.history()

    def events(self) -> Iterator[MarketEvent]:
        return self._tape.events()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedMarket:
    """A tape from files. Its minutes fall on the venue's minutes at speed 1.

    The first `warm_up_ms` of the tape are played at once at the start, so that clients find candles.
    """

    paths: tuple[Path, ...]
    speed: float = 1.0
    warm_up_ms: int = 0
    known: tuple[SimInstrument, ...] = field(default_factory=lambda: tuple(demo_instruments()))

    def instruments(self) -> dict[str, SimInstrument]:
        """Return the symbols that the files are of."""
        by_symbol = {held.symbol: held for held in self.known}
        return {symbol: by_symbol[symbol] for symbol in tape_symbols(self.paths, by_symbol)}

    def __call__(self, now_ms: int) -> MarketSource:
        first = next(open_tape(self.paths, self.instruments()), None)
        if first is None:
            raise ValueError(f"{', '.join(map(str, self.paths))}: the tape has no event")
        return _Recorded(self, first.time_ms, now_ms)


class _Recorded:
    def __init__(self, market: RecordedMarket, first_ms: int, now_ms: int) -> None:
        self._market = market
        grain_ms = max(1, round(MINUTE_MS / market.speed))
        self.tape_start_ms = first_ms - first_ms % MINUTE_MS
        begin_ms = now_ms - round(market.warm_up_ms / market.speed)
        self.venue_start_ms = begin_ms - begin_ms % grain_ms

    def instruments(self) -> Iterable[SimInstrument]:
        return self._market.instruments().values()

    def history(self) -> Iterable[Candle]:
        return ()

    def events(self) -> Iterator[MarketEvent]:
        return open_tape(self._market.paths, self._market.instruments())
