"""What `plan` and `init` know of a venue: its public part always, the account where keys are given. Sends no order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from actors.check.start_plan import SymbolReading
from actors.errors import TimedOut
from actors.settings.account import Settings
from actors.settings.venue import Credentials
from actors.venues import market_venue, paper_trading, trading_venue
from exchanges.errors import Refusal, VenueRefused
from exchanges.port import Account, FeeRates, MaintenanceTier, MarketVenue, Position, TradingVenue
from grid.errors import ConfigError
from grid.instrument import Instrument
from grid.order import OrderReport, Quote

T = TypeVar("T")
READ_TIMEOUT_S = 20.0
MAKER_ASSUMED = Decimal("0.0002")
TAKER_ASSUMED = Decimal("0.0006")
MAINTENANCE_ASSUMED = Decimal("0.01")
"""More than large venues ask for large coins in the lowest bracket, so that liquidation is shown rather too near."""
LEVERAGE_ASSUMED = 125
NOTIONAL_ASSUMED = Decimal("1e12")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the user says of the account where no key can ask. Fees as fractions of notional."""

    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    prices: Mapping[str, Decimal] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderFacts:
    """One reading; on paper the account is the paper one.

    `account` None: no keys, so fees and margin tiers are assumed and no position is known.
    """

    readings: dict[str, SymbolReading]
    account: Account | None
    orders: Sequence[OrderReport] = ()


async def read_ladder_facts(settings: Settings, credentials: Credentials | None, told: Told) -> LadderFacts:
    """Read what is needed; raises `ConfigError` for a symbol that the venue does not trade, `VenueError` otherwise."""
    market = market_venue(settings)
    try:
        names = [symbol.symbol for symbol in settings.symbols]
        public = {name: await read_public(market, name, f"symbols[{at}].symbol") for at, name in enumerate(names)}
        if credentials is None and not settings.is_paper:
            return LadderFacts(
                readings={name: assumed(*public[name], told) for name in names},
                account=None,
            )
        trading: TradingVenue = paper_trading(settings, read_only=True)
        if credentials is not None and not settings.is_paper:
            trading = trading_venue(settings, credentials)
        try:
            return await _with_account(trading, public, told)
        finally:
            await trading.close()
    finally:
        await market.close()


async def read_public(market: MarketVenue, symbol: str, key: str) -> tuple[Instrument, Quote]:
    """Return a symbol's rules and price; `key` names it in the error where the venue has none such."""
    try:
        instrument = await bounded(market.instrument(symbol))
        return instrument, await bounded(market.quote(symbol))
    except VenueRefused as error:
        if error.refusal is Refusal.SYMBOL_CLOSED:
            raise ConfigError(key, symbol, "the venue has no such contract") from error
        raise


async def bounded(call: Awaitable[T]) -> T:
    """Return the answer; raises `TimedOut` where none comes."""
    try:
        return await asyncio.wait_for(call, READ_TIMEOUT_S)
    except TimeoutError:
        raise TimedOut(f"the venue gave no answer within {READ_TIMEOUT_S:g} s") from None


async def _with_account(
    trading: TradingVenue, public: Mapping[str, tuple[Instrument, Quote]], told: Told
) -> LadderFacts:
    await bounded(trading.connect())
    account = await bounded(trading.account())
    positions = {position.symbol: position for position in await bounded(trading.positions())}
    readings = {}
    for name, (instrument, quote) in public.items():
        fees = await bounded(trading.fee_rates(name))
        tiers = await bounded(trading.maintenance_tiers(name))
        reading = _reading(instrument, quote, fees, tiers, positions.get(name))
        readings[name] = replace(reading, fees=_fees(name, told, fees), quote=_quote(instrument, quote, told))
    return LadderFacts(readings=readings, account=account, orders=await bounded(trading.open_orders()))


def assumed(instrument: Instrument, quote: Quote, told: Told) -> SymbolReading:
    """Return a reading whose fees and margin tiers nobody told but the user, if anybody."""
    fees = FeeRates(symbol=instrument.symbol, maker=MAKER_ASSUMED, taker=TAKER_ASSUMED)
    tier = MaintenanceTier(
        notional_floor=Decimal(0),
        notional_cap=NOTIONAL_ASSUMED,
        rate=MAINTENANCE_ASSUMED,
        deduction=Decimal(0),
        leverage_max=LEVERAGE_ASSUMED,
    )
    fees = _fees(instrument.symbol, told, fees)
    return _reading(instrument, _quote(instrument, quote, told), fees, [tier], None)


def _reading(
    instrument: Instrument, quote: Quote, fees: FeeRates, tiers: Sequence[MaintenanceTier], position: Position | None
) -> SymbolReading:
    return SymbolReading(instrument=instrument, quote=quote, fees=fees, tiers=tiers, position=position)


def _fees(symbol: str, told: Told, known: FeeRates) -> FeeRates:
    maker = known.maker if told.maker_fee is None else told.maker_fee
    taker = known.taker if told.taker_fee is None else told.taker_fee
    return FeeRates(symbol=symbol, maker=maker, taker=taker)


def _quote(instrument: Instrument, quote: Quote, told: Told) -> Quote:
    """Return the quote, moved to the price that the user asks about, with no gap between bid and ask but one tick."""
    price = (told.prices or {}).get(instrument.symbol)
    if price is None:
        return quote
    bid = instrument.ticks_floor(price)
    if not instrument.price_min <= bid < instrument.price_max:
        low, high = instrument.price(instrument.price_min), instrument.price(instrument.price_max)
        raise ConfigError("--price", price, f"has to lie between {low} and {high}")
    return replace(quote, bid=bid, ask=bid + 1)
