"""`gridmesh check`: everything that a start would find out, without placing or changing anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from actors.settings import Settings
from actors.settings_symbol import SymbolSettings
from actors.start_plan import SymbolReading, account_plan, symbol_plan
from exchanges.errors import Refusal, VenueError, VenueRefused
from exchanges.port import Account, MarketVenue, Position, TradingVenue
from grid.client_id import decode
from grid.errors import ConfigError
from grid.instrument import OffGrid
from grid.order import OrderReport
from risk.plan import Finding, Severity, SymbolPlan
from risk.prestart import check_start

T = TypeVar("T")
READ_TIMEOUT_S = 20.0
SKEW_MS_WARN = 500


class Verdict(Enum):
    """What a finding means for a start."""

    OK = "ok"
    WARN = "warn"
    REFUSE = "refuse"
    UNKNOWN = "unknown"
    """It could not be read: a start would wait for it and trade nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One line of the report."""

    what: str
    verdict: Verdict
    sentence: str
    is_credentials: bool = False


def ok(what: str, sentence: str) -> Checked:
    """Return a line for what is as it should be."""
    return Checked(what=what, verdict=Verdict.OK, sentence=sentence)


def warn(what: str, sentence: str) -> Checked:
    """Return a line for what a start would say and go on."""
    return Checked(what=what, verdict=Verdict.WARN, sentence=sentence)


def refuse(what: str, sentence: str) -> Checked:
    """Return a line for what a start would be refused for."""
    return Checked(what=what, verdict=Verdict.REFUSE, sentence=sentence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Generic[T]):
    """An answer, told from none: an empty list and None are answers too."""

    value: T


class VenueCheck:
    """Reads the account and the symbols of one configuration and judges them. Sends nothing that changes anything."""

    def __init__(self, settings: Settings, trading: TradingVenue, market: MarketVenue) -> None:
        self._settings = settings
        self._trading = trading
        self._market = market
        self._lines: list[Checked] = []

    async def run(self) -> list[Checked]:
        """Return every line; what cannot be read is said and the rest goes on."""
        if await self._read("venue", self._trading.connect()) is not None:
            self._clock()
            account = await self._account()
            positions = await self._read("positions", self._trading.positions())
            orders = await self._read("open orders", self._trading.open_orders())
            if positions is not None:
                self._foreign(positions.value, orders.value if orders else [])
                await self._symbols(account, positions.value)
        return self._lines

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

    def _foreign(self, positions: Sequence[Position], orders: Sequence[OrderReport]) -> None:
        """Name what is not ours and what an earlier run left behind."""
        configured = {ladder.symbol for ladder in self._settings.symbols}
        own = [order for order in orders if decode(order.client_id, order.symbol) is not None]
        if own:
            self._lines.append(
                warn("open orders", f"{len(own)} of our own rest already; a start adopts or cancels them")
            )
        foreign = [order for order in orders if decode(order.client_id, order.symbol) is None]
        if foreign:
            symbols = ", ".join(sorted({order.symbol for order in foreign}))
            words = f"{len(foreign)} foreign orders on {symbols}: never touched, but counted in the venue's limits"
            self._lines.append(warn("open orders", words))
        if not orders:
            self._lines.append(ok("open orders", "none"))
        for position in positions:
            if position.quantity and position.symbol not in configured:
                self._lines.append(warn("positions", f"{position.symbol} is held, but is not in the configuration"))

    async def _symbols(self, account: Account | None, positions: Sequence[Position]) -> None:
        held = {position.symbol: position for position in positions}
        plans: list[SymbolPlan] = []
        for ladder in self._settings.symbols:
            plan = await self._symbol(ladder, held.get(ladder.symbol))
            if plan is not None:
                plans.append(plan)
        if account is None or len(plans) < len(self._settings.symbols):
            sentence = "not judged: the account or a symbol above is unknown"
            self._lines.append(Checked(what="start", verdict=Verdict.UNKNOWN, sentence=sentence))
            return
        findings = check_start(account_plan(self._settings, account), plans)
        self._lines += [_line(finding) for finding in findings]
        if not findings:
            self._lines.append(ok("start", "margin, leverage, liquidation, amounts and profit after fees are sound"))

    async def _symbol(self, ladder: SymbolSettings, position: Position | None) -> SymbolPlan | None:
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
        reading = SymbolReading(
            instrument=instrument.value, quote=quote.value, fees=fees.value, tiers=tiers.value, position=position
        )
        try:
            plan = symbol_plan(self._settings, ladder, reading)
        except (ConfigError, OffGrid) as error:
            self._lines.append(refuse(symbol, str(error)))
            return None
        self._lines.append(ok(symbol, _filters(plan)))
        self._reach(ladder, position)
        return plan

    def _reach(self, ladder: SymbolSettings, position: Position | None) -> None:
        """Name what a start would change at the venue beyond our own orders (rule 24)."""
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

    async def _read(self, what: str, call: Awaitable[T]) -> Read[T] | None:
        try:
            return Read(value=await asyncio.wait_for(call, READ_TIMEOUT_S))
        except VenueRefused as error:
            is_credentials = error.refusal is Refusal.CREDENTIALS
            self._lines.append(
                Checked(
                    what=what, verdict=Verdict.REFUSE, sentence=f"the venue says {error}", is_credentials=is_credentials
                )
            )
        except (VenueError, TimeoutError) as error:
            words = str(error) or f"no answer within {READ_TIMEOUT_S:g} s"
            self._lines.append(Checked(what=what, verdict=Verdict.UNKNOWN, sentence=f"cannot be read: {words}"))
        return None


def _filters(plan: SymbolPlan) -> str:
    instrument = plan.instrument
    quantity = instrument.quantity(plan.quantity(plan.first_index))
    return (
        f"tick {instrument.tick}, step {instrument.step}, minimum notional {instrument.notional_min}; "
        f"at {instrument.price(plan.reference)} an entry buys {quantity} {instrument.base}"
    )


def _line(finding: Finding) -> Checked:
    verdict = Verdict.REFUSE if finding.severity is Severity.REFUSE else Verdict.WARN
    return Checked(what="start", verdict=verdict, sentence=finding.sentence)
