"""`gridmesh check`: everything that a start would find out, without placing or changing anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from actors.check.book import KnownBook, order_lines, position_lines, roster_lines
from actors.check.lines import Checked, Verdict, ok, refuse, warn
from actors.check.reach import reach_lines, stop_lines
from actors.check.start_plan import SymbolReading, grid_policy
from actors.gateway.conduct import locked
from actors.gateway.contracts import complaint
from actors.gateway.grids import Grid, grid_of
from actors.gateway.start import Facts, findings
from actors.settings.account import Settings
from actors.settings.symbol import SymbolSettings
from exchanges.errors import Refusal, VenueError, VenueRefused, VenueUnreachable
from exchanges.port import Account, MarketVenue, Position, TradingVenue, VenueRules
from grid.errors import ConfigError
from grid.ladder import GridSide
from grid.order import OrderReport
from grid.sizing import entry_quantity
from grid.stop import StopReport
from risk.plan import Finding, Severity

T = TypeVar("T")
READ_TIMEOUT_S = 20.0
SKEW_MS_WARN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Generic[T]):
    """An answer, told from none: an empty list and None are answers too."""

    value: T


class VenueCheck:
    """Reads the account and the symbols of one configuration and judges them. Sends nothing that changes anything."""

    def __init__(self, settings: Settings, trading: TradingVenue, market: MarketVenue, known: KnownBook) -> None:
        self._settings = settings
        self._known_book = known
        self._book = known.book
        self._trading = trading
        self._market = market
        self._lines: list[Checked] = []

    async def run(self) -> list[Checked]:
        """Return every line; what cannot be read is said and the rest goes on."""
        if await self._read("venue", self._trading.connect()) is None:
            return self._lines
        self._clock()
        rules = await self._read("venue rules", self._trading.rules())
        if rules is None or not self._known(rules.value):
            return self._lines
        self._lines += roster_lines(self._known_book, self._settings)
        account = await self._account()
        await self._conduct()
        positions = await self._read("positions", self._trading.positions())
        orders = await self._read("open orders", self._trading.open_orders())
        stops = await self._read("conditional orders", self._trading.open_stops())
        if orders is not None:
            self._lines += order_lines(self._known_book, orders.value)
        if stops is not None:
            self._lines += stop_lines(self._known_book, stops.value, [one.symbol for one in self._settings.symbols])
        if positions is not None:
            self._positions(positions.value)
        if positions is not None and orders is not None:
            known, instruments = self._known_book, rules.value.instruments
            self._lines += position_lines(known, positions.value, orders.value, instruments)
        resting = orders.value if orders is not None else []
        waiting = stops.value if stops is not None else []
        await self._symbols(rules.value, account, positions.value if positions else None, resting, waiting)
        return self._lines

    def _known(self, rules: VenueRules) -> bool:
        """Judge the symbols' names first: the venue answers nothing about one that it does not have."""
        unknown = [ladder.symbol for ladder in self._settings.symbols if ladder.symbol not in rules.instruments]
        for symbol in unknown:
            self._lines.append(refuse(symbol, complaint(symbol, rules.instruments)))
        return not unknown

    def _clock(self) -> None:
        offset_ms = self._trading.clock_offset_ms()
        bound_ms = self._settings.gateway.recv_window_ms // 2
        words = f"venue clock minus ours: {offset_ms} ms"
        if abs(offset_ms) > bound_ms:
            self._lines.append(warn("clock", f"{words}; it is corrected for, but set this machine's clock"))
        elif abs(offset_ms) > SKEW_MS_WARN:
            self._lines.append(warn("clock", f"{words}; more than {SKEW_MS_WARN} ms: is time synchronisation running?"))
        else:
            self._lines.append(ok("clock", words))

    async def _account(self) -> Account | None:
        read = await self._read("account", self._trading.account())
        if read is None:
            return None
        account = read.value
        self._lines.append(ok("account", f"wallet {account.wallet}, available {account.available}"))
        if account.pays_fees_in_other_asset:
            self._lines.append(
                warn("account", "fees are paid in another coin; profit is exact only where it is valued")
            )
        return account

    async def _conduct(self) -> None:
        read = await self._read("trading status", self._trading.conduct())
        if read is None:
            return
        sentences = locked(read.value)
        self._lines += [warn("trading status", sentence) for sentence in sentences]
        if not sentences:
            self._lines.append(ok("trading status", "the venue restricts nothing"))

    def _positions(self, positions: Sequence[Position]) -> None:
        configured = {ladder.symbol for ladder in self._settings.symbols}
        others = sorted(held.symbol for held in positions if held.quantity and held.symbol not in configured)
        if others:
            self._lines.append(warn("positions", f"held, but not in the configuration: {', '.join(others)}"))
        elif not any(held.quantity for held in positions):
            self._lines.append(ok("positions", "none"))

    async def _symbols(
        self,
        rules: VenueRules,
        account: Account | None,
        positions: Sequence[Position] | None,
        orders: Sequence[OrderReport],
        stops: Sequence[StopReport],
    ) -> None:
        held = {position.symbol: position for position in positions or []}
        readings: dict[str, SymbolReading] = {}
        due: list[Grid] = []
        for ladder in self._settings.symbols:
            reading = await self._reading(ladder, held.get(ladder.symbol))
            grid = self._grid(ladder, reading) if reading is not None else None
            if reading is not None and grid is not None:
                readings[ladder.symbol] = reading
                due.append(grid)
        if account is None or positions is None or len(due) < len(self._settings.symbols):
            sentence = "not judged: the account, the positions or a symbol above is not known"
            self._lines.append(Checked(what="start", verdict=Verdict.UNKNOWN, sentence=sentence))
            return
        facts = Facts(
            rules=rules,
            account=account,
            instruments={symbol: reading.instrument for symbol, reading in readings.items()},
            quotes={symbol: reading.quote for symbol, reading in readings.items()},
            fees={symbol: reading.fees for symbol, reading in readings.items()},
            tiers={symbol: list(reading.tiers) for symbol, reading in readings.items()},
            positions=held,
            orders=orders,
            stops=stops,
        )
        found = findings(self._settings, facts, due, self._book, self._known_book.journal_id)
        self._lines += [_line(finding) for finding in found]
        if not found:
            self._lines.append(ok("start", "margin, leverage, liquidation, amounts and profit after fees are sound"))

    async def _reading(self, ladder: SymbolSettings, position: Position | None) -> SymbolReading | None:
        symbol = ladder.symbol
        instrument = await self._read(symbol, self._trading.instrument(symbol))
        if instrument is None:
            return None
        if not instrument.value.trading:
            self._lines.append(refuse(symbol, "the venue has closed it for trading; take it out of symbols"))
            return None
        quote = await self._read(f"{symbol} price", self._market.quote(symbol))
        fees = await self._read(f"{symbol} fees", self._trading.fee_rates(symbol))
        tiers = await self._read(f"{symbol} margin tiers", self._trading.maintenance_tiers(symbol))
        if quote is None or fees is None or tiers is None:
            return None
        self._reach(ladder, position)
        return SymbolReading(
            instrument=instrument.value, quote=quote.value, fees=fees.value, tiers=tiers.value, position=position
        )

    def _grid(self, ladder: SymbolSettings, reading: SymbolReading) -> Grid | None:
        """Return the levels that a start would serve: the journal's generation, or the next one."""
        policy = grid_policy(self._settings, ladder, reading.fees)
        try:
            grid = grid_of(ladder, reading.instrument, policy, reading.quote, self._book)
        except ConfigError as error:
            self._lines.append(refuse(ladder.symbol, str(error)))
            return None
        self._lines.append(ok(ladder.symbol, _filters(grid, reading)))
        return grid

    def _reach(self, ladder: SymbolSettings, position: Position | None) -> None:
        """Name what a start would change at the venue beyond our own orders (rule 24)."""
        self._lines += reach_lines(ladder, position, self._trading.costs)
        if position is None:
            return
        isolated = "isolated" if position.is_isolated else "cross"
        for key, wanted, present in (
            ("leverage", ladder.leverage, position.leverage),
            ("margin_type", ladder.margin_type.value if ladder.margin_type else None, isolated),
        ):
            if wanted is not None and wanted != present:
                words = (
                    f"{key} is {present} and would be set to {wanted} for the whole symbol, foreign position included"
                )
                self._lines.append(warn(ladder.symbol, words))

    def _address(self) -> str:
        url = self._settings.venue.rest_url
        return f"the address (venue.rest_url is {url})" if url else "the venue's status page"

    async def _read(self, what: str, call: Awaitable[T]) -> Read[T] | None:
        try:
            return Read(value=await asyncio.wait_for(call, READ_TIMEOUT_S))
        except VenueRefused as error:
            is_key = error.refusal is Refusal.CREDENTIALS
            self._lines.append(
                Checked(what=what, verdict=Verdict.REFUSE, sentence=f"the venue says {error}", is_configuration=is_key)
            )
        except (VenueError, TimeoutError) as error:
            words = str(error) or f"no answer within {READ_TIMEOUT_S:g} s"
            if isinstance(error, VenueUnreachable | TimeoutError):
                words = f"{words}. Look at {self._address()}, and at this machine's network, firewall and name service"
            self._lines.append(Checked(what=what, verdict=Verdict.UNKNOWN, sentence=f"cannot be read: {words}"))
        return None


def _filters(grid: Grid, reading: SymbolReading) -> str:
    instrument = grid.instrument
    price = reading.quote.bid if grid.generation.side is GridSide.LONG else reading.quote.ask
    quantity = instrument.quantity(entry_quantity(grid.settings.amount, price, instrument))
    return (
        f"tick {instrument.tick}, step {instrument.step}, minimum notional {instrument.notional_min}; "
        f"at {instrument.price(price)} an entry buys {quantity} {instrument.base}"
    )


def _line(finding: Finding) -> Checked:
    verdict = Verdict.REFUSE if finding.severity is Severity.REFUSE else Verdict.WARN
    return Checked(what="start", verdict=verdict, sentence=finding.sentence)
