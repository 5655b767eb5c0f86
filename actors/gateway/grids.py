"""From the settings to what the desk needs: policies, bounds, and which generation of levels is due."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from actors.check.start_plan import within
from actors.gateway.contracts import complaint
from actors.mail.messages import SymbolSetup
from actors.settings.account import Settings
from actors.settings.symbol import SymbolSettings
from exchanges.desk.settings import DeskSettings, DeskSymbol
from grid.book import Book
from grid.errors import ConfigError
from grid.instrument import Instrument
from grid.ladder import GridSide, Ladder, Spacing, check_geometric, interval_ticks
from grid.neutral import due_ladders, start_price
from grid.order import Quote
from grid.policy import GridPolicy
from grid.records import GenerationStarted
from grid.symbol_book import SymbolBook
from risk.rules import DetectorKind, RiskRules

_INTERVAL_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """One side of a neutral grid."""

    generation: GenerationStarted
    policy: GridPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One symbol, ready to be traded."""

    settings: SymbolSettings
    instrument: Instrument
    policy: GridPolicy
    generation: GenerationStarted
    is_new: bool
    """Whether the journal does not know the generation yet."""
    older: tuple[GenerationStarted, ...] = ()
    """The generations before it."""
    is_first: bool = False
    """Whether the journal does not know the symbol: the grid is created."""
    pair: tuple[Half, Half] | None = None
    """Of a neutral grid: both its sides, as they are journalled; `generation` and `policy` are those that work."""
    turn: int = 0
    """How often it has turned around."""

    @property
    def ladder(self) -> Ladder:
        """Return its levels."""
        return self.generation.ladder()

    def setup(self) -> SymbolSetup:
        """Return what its slots and its feed are told."""
        return SymbolSetup(
            generation=self.generation,
            policy=self.policy,
            instrument=self.instrument,
            older=self.older,
            turn=self.turn,
        )

    @property
    def other(self) -> Half | None:
        """Return the side of a neutral grid that does not work at present."""
        return next((half for half in self.pair or () if half.generation != self.generation), None)

    @property
    def other_ladder(self) -> Ladder | None:
        """Return that side's levels."""
        return self.other.generation.ladder() if self.other is not None else None

    @property
    def due(self) -> tuple[GenerationStarted, ...]:
        """Return the generations that the journal lacks, in their order."""
        if not self.is_new:
            return ()
        return tuple(half.generation for half in self.pair) if self.pair is not None else (self.generation,)

    def facing(self, book: SymbolBook) -> Grid:
        """Return a neutral grid as it stands in the book, after a turn."""
        half = next((one for one in self.pair or () if one.generation == book.generation), None)
        if half is None:
            return self
        return replace(self, generation=half.generation, policy=half.policy, older=book.others, turn=book.turns)


def grid_of(symbol: SymbolSettings, instrument: Instrument, policy: GridPolicy, quote: Quote, book: Book) -> Grid:
    """Return the grid in its due generation: the journal's, or the next where spacing, side or anchor changed."""
    if symbol.way is None:
        return _neutral(symbol, instrument, policy, quote, book)
    known = book.symbols.get(symbol.symbol)
    last = known.generation if known is not None and known.generations else None
    wanted = GenerationStarted(
        symbol=symbol.symbol,
        generation=last.generation if last is not None else 0,
        side=symbol.way,
        spacing=symbol.spacing,
        anchor=_anchor(symbol, instrument, quote, last),
        interval=level_interval(symbol, instrument),
        ratio=level_ratio(symbol),
        tick=instrument.tick,
        step=instrument.step,
    )
    if last is not None and last != wanted:
        wanted = replace(wanted, generation=max(book.symbols[symbol.symbol].generations) + 1)
    ladder = wanted.ladder()
    policy = within(policy, symbol, ladder, instrument)
    if symbol.spacing is Spacing.GEOMETRIC:
        top = ladder.floor(symbol.way.sign * (quote.bid if symbol.way is GridSide.LONG else quote.ask))
        check_geometric(ladder, *_reach(top, policy))
    return Grid(
        settings=symbol,
        instrument=instrument,
        policy=policy,
        generation=wanted,
        is_new=last != wanted,
        older=_besides(known, wanted),
        is_first=known is None,
    )


def _neutral(symbol: SymbolSettings, instrument: Instrument, policy: GridPolicy, quote: Quote, book: Book) -> Grid:
    """Return a grid with two sides in its due generations; the one that works is the journal's, or by the price."""
    known = book.symbols.get(symbol.symbol)
    anchor = _configured(symbol, instrument) or start_price(known) or quote.bid
    levels = GenerationStarted(
        symbol=symbol.symbol,
        generation=0,
        side=GridSide.LONG,
        spacing=symbol.spacing,
        anchor=anchor,
        interval=level_interval(symbol, instrument),
        ratio=level_ratio(symbol),
        tick=instrument.tick,
        step=instrument.step,
    )
    ladders = due_ladders(known, levels, quote.bid)
    first, second = (
        Half(generation=one, policy=within(policy, symbol, one.ladder(), instrument)) for one in ladders.both
    )
    if symbol.spacing is Spacing.GEOMETRIC:
        for half in (first, second):
            check_geometric(half.generation.ladder(), *_reach(0, half.policy))
    present = next(half for half in (first, second) if half.generation.side is ladders.present)
    other = (second if present is first else first).generation
    others = [one for one in _besides(known, present.generation) if one.generation != other.generation]
    return Grid(
        settings=symbol,
        instrument=instrument,
        policy=present.policy,
        generation=present.generation,
        is_new=ladders.is_new,
        older=(*others, other),
        is_first=known is None,
        pair=(first, second),
        turn=known.turns if known is not None else 0,
    )


def _besides(known: SymbolBook | None, due: GenerationStarted) -> tuple[GenerationStarted, ...]:
    """Return the journal's generations besides the one that is due."""
    numbers = sorted(known.generations) if known is not None else ()
    return tuple(known.generations[number] for number in numbers if known is not None and number != due.generation)


def _reach(top: int, policy: GridPolicy) -> tuple[int, int]:
    """Return the levels in reach: all of a grid with two ends, else what a fall through every lot would come to."""
    if policy.lowest_level is not None and policy.highest_level is not None:
        return policy.lowest_level, policy.highest_level
    highest = policy.nearest(top + policy.buy_window)
    lowest = min(top - policy.max_lots - policy.buy_window, highest)
    return lowest if policy.lowest_level is None else min(max(lowest, policy.lowest_level), highest), highest


def desk_settings(settings: Settings, journal_id: str) -> DeskSettings:
    """Return the desk's bounds."""
    return DeskSettings(
        journal=journal_id,
        notional_max=settings.account.max_notional,
        orders_max=settings.account.max_orders,
        recv_window_ms=settings.gateway.recv_window_ms,
        echo_ms=milliseconds(settings.gateway.echo_timeout_s),
        price_age_ms=milliseconds(settings.runtime.price_age_s),
        mark_band=settings.gateway.mark_band,
        daily_loss=settings.account.daily_loss,
        breakers=settings.account.breakers(),
        unexplained_max=settings.account.unexplained_max,
    )


def desk_symbol(grid: Grid) -> DeskSymbol:
    """Return the grid as the desk takes it."""
    return DeskSymbol(
        policy=grid.policy,
        instrument=grid.instrument,
        breakers=grid.settings.breakers(),
        countdown_ms=milliseconds(grid.settings.countdown_s or Decimal(0)),
        stop=grid.settings.exchange_stop.rule() if grid.settings.exchange_stop is not None else None,
        trigger=grid.settings.trigger_price,
        opening=grid.settings.opening,
        sides=tuple((half.generation.generation, half.policy) for half in grid.pair or ()),
    )


def risk_rules(settings: Settings) -> RiskRules:
    """Return the supervisor's rules."""
    risk = settings.risk
    return RiskRules(
        watch=risk.watch,
        interval_ms=interval_ms(risk.interval),
        detector=DetectorKind(risk.detector),
        fall_window=risk.fall_window,
        fall_multiplier=risk.fall_multiplier,
        fall_min=risk.fall_min,
        fall_max=risk.fall_max,
        baseline_window=risk.baseline_window,
        average_window=risk.average_window,
        volume_multiplier=risk.volume_multiplier,
        trigger_symbols=risk.trigger_symbols,
        recovery_symbols=risk.recovery_symbols,
        stale_ms=milliseconds(risk.stale_s),
        min_hold_ms=milliseconds(risk.min_hold_s),
        errors_max=risk.errors_max,
        errors_window_ms=milliseconds(risk.errors_window_s),
    )


def interval_ms(interval: str) -> int:
    """Return the length of a candle such as `1m`."""
    return int(interval[:-1]) * _INTERVAL_MS[interval[-1]]


def milliseconds(seconds: Decimal) -> int:
    """Return whole milliseconds."""
    return int(seconds * 1000)


def instruments_of(
    settings: Settings, known: Mapping[str, Instrument], spared: Container[str] = ()
) -> dict[str, Instrument]:
    """Return the configured symbols' rules; raises `ConfigError` for one that the venue does not trade.

    One that is spared is left out instead.
    """
    found: dict[str, Instrument] = {}
    for index, symbol in enumerate(settings.symbols):
        instrument = known.get(symbol.symbol)
        why = complaint(symbol.symbol, known)
        if (instrument is None or why) and symbol.symbol in spared:
            continue
        if instrument is None or why:
            raise ConfigError(f"symbols[{index}].symbol", symbol.symbol, why)
        found[symbol.symbol] = instrument
    return found


def level_interval(symbol: SymbolSettings, instrument: Instrument) -> int:
    """Return the distance of the levels in ticks, 0 for a geometric grid; refuses what is no whole number."""
    if symbol.spacing is Spacing.GEOMETRIC:
        return 0
    if symbol.price_range is not None:
        return symbol.price_range.interval(instrument)
    if symbol.interval is None:
        return 0
    return interval_ticks(symbol.symbol, symbol.interval, instrument)


def level_ratio(symbol: SymbolSettings) -> Decimal:
    """Return the ratio of a geometric grid, 1 for an arithmetic one."""
    if symbol.spacing is Spacing.GEOMETRIC and symbol.price_range is not None:
        return symbol.price_range.ratio()
    return symbol.ratio or Decimal(1)


def level_zero(symbol: SymbolSettings, instrument: Instrument) -> int | None:
    """Return the configured price of level 0 in ticks, None where the first price decides."""
    if symbol.price_range is not None and symbol.way is not None:
        return symbol.price_range.anchor(symbol.way, instrument)
    return instrument.ticks_floor(symbol.anchor) if symbol.anchor is not None else None


def _anchor(symbol: SymbolSettings, instrument: Instrument, quote: Quote, last: GenerationStarted | None) -> int:
    if (configured := _configured(symbol, instrument)) is not None:
        return configured
    if last is not None and last.tick == instrument.tick:
        return last.anchor
    return quote.bid if symbol.way is GridSide.LONG else quote.ask


def _configured(symbol: SymbolSettings, instrument: Instrument) -> int | None:
    if symbol.anchor is not None and symbol.anchor < instrument.tick:
        key = f"symbols[{symbol.symbol}].anchor"
        raise ConfigError(key, symbol.anchor, f"has to be at least one tick of the venue, {instrument.tick}")
    return level_zero(symbol, instrument)
