"""Closing a stated quantity without a journal: reduce-only slices that never cross a bound from mark."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from actors.clock import Clock
from exchanges.errors import OutcomeUnknown, Refusal, VenueError, VenueRefused
from exchanges.port import Position, TradingVenue
from grid.client_id import JOURNAL_ID_LENGTH, ClientId
from grid.errors import ConfigError
from grid.instrument import Instrument, OffGrid
from grid.order import OrderReport, OrderRequest, Purpose, Side, TimeInForce
from risk.daily_loss import DailyLoss
from risk.veto import Approved
from risk.wire_check import ClosingRoom, WireLimits, approve

SLIPPAGE_MAX = Decimal("0.01")
SLICES_MAX = 20
EXPONENT_MAX = 12
DIGITS_MAX = 24
PAUSE_S = 0.5
_ID_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """How much of a symbol's position to close, in base currency."""

    symbol: str
    quantity: Decimal


def parse_sales(texts: Sequence[str]) -> list[Sale]:
    """Return the sales of `SYMBOL=QUANTITY` arguments; raises `ConfigError` for what is none."""
    sales: list[Sale] = []
    for text in texts:
        symbol, _, number = text.partition("=")
        try:
            quantity = Decimal(number)
        except InvalidOperation:
            quantity = Decimal(0)
        # what no contract's step could be compared with is no quantity
        is_sane = quantity.is_finite() and quantity > 0 and abs(quantity.adjusted()) <= EXPONENT_MAX
        if not symbol or not is_sane or len(quantity.as_tuple().digits) > DIGITS_MAX:
            raise ConfigError(
                "--sell-lots", text, "has to be SYMBOL=QUANTITY, e.g. ETHUSDT=0.020; foreign coins stay yours"
            )
        sales.append(Sale(symbol=symbol.upper(), quantity=quantity))
    return sales


async def require_sellable(venue: TradingVenue, sales: Sequence[Sale]) -> None:
    """Raise `ConfigError` where the venue has no such contract, or the quantity is no whole number of its steps."""
    for sale in sales:
        text = f"{sale.symbol}={sale.quantity}"
        try:
            (await venue.instrument(sale.symbol)).steps(sale.quantity)
        except OffGrid as error:
            raise ConfigError("--sell-lots", text, f"nothing was cancelled: {error}") from None
        except VenueRefused as error:
            if error.refusal is not Refusal.SYMBOL_CLOSED:
                raise
            raise ConfigError("--sell-lots", text, "nothing was cancelled: the venue has no such contract") from None


class SellLots:
    """Sells (or, where the position is short, buys back) by reading the position before each slice and believing it."""

    def __init__(self, venue: TradingVenue, clock: Clock, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._venue = venue
        self._clock = clock
        self._sleep = sleep
        # without the journal there is no id of its own to use: a fresh one, so that no id is ever used twice
        self._journal = "".join(secrets.choice(_ID_LETTERS) for _ in range(JOURNAL_ID_LENGTH))
        self._sequence = 0

    async def run(self, sale: Sale) -> dict[str, Any]:
        """Close the quantity and return what came of it; never more than the position, never past the bound."""
        try:
            instrument = await self._venue.instrument(sale.symbol)
            wanted = instrument.steps(sale.quantity)
            start = await self._position(sale.symbol)
            if start is None or start.quantity == 0:
                return _result(sale, Decimal(0), done=False, why="there is no position")
            target = max(0, abs(start.quantity) - wanted)
            why = await self._slices(instrument, target, start.quantity > 0)
            end = await self._position(sale.symbol)
        except (VenueError, OffGrid) as error:
            return _result(sale, None, done=False, why=str(error))
        closed = instrument.quantity(abs(start.quantity) - abs(end.quantity if end else 0))
        short = wanted > abs(start.quantity)
        words = why or ("that was the whole position" if short else "")
        return _result(sale, closed, done=not why, why=words)

    async def _slices(self, instrument: Instrument, target: int, is_long: bool) -> str:
        """Send slices until the position is down to `target` steps; return why it ended before that."""
        for _ in range(SLICES_MAX):
            position = await self._position(instrument.symbol)
            if position is None:
                return "the position is not in the venue's answer"
            held = position.quantity if is_long else -position.quantity
            if held <= target:
                return ""
            order = self._order(instrument, position, held - target, is_long)
            if isinstance(order, str):
                return order
            try:
                await self._venue.place(order)
            except OutcomeUnknown:
                # the next reading of the position is the answer; an IOC order does not rest
                await self._settle(order)
            await self._sleep(PAUSE_S)
        return f"not filled within {SLICES_MAX} slices at most {SLIPPAGE_MAX:%} from mark"

    def _order(self, instrument: Instrument, position: Position, steps: int, is_long: bool) -> Approved | str:
        side = Side.SELL if is_long else Side.BUY
        bound = position.mark_price * (1 - side.other.sign * SLIPPAGE_MAX)
        price = instrument.ticks_ceil(bound) if is_long else instrument.ticks_floor(bound)
        self._sequence += 1
        client_id = ClientId(
            journal=self._journal,
            symbol=instrument.symbol,
            generation=0,
            level=0,
            purpose=Purpose.FLATTEN,
            owner_epoch=0,
            sequence=self._sequence,
        ).encode()
        request = OrderRequest(
            symbol=instrument.symbol,
            client_id=client_id,
            side=side,
            price=price,
            quantity=min(steps, instrument.quantity_max),
            closing=True,
            time_in_force=TimeInForce.IOC,
        )
        verdict = approve(
            request,
            instrument=instrument,
            limits=WireLimits(amount=Decimal(0), mark_band=2 * SLIPPAGE_MAX),
            mark=position.mark_price,
            room=ClosingRoom(lots=position.quantity, position=position.quantity),
            daily_loss=DailyLoss(limit=None),
        )
        return verdict if isinstance(verdict, Approved) else verdict.reason

    async def _settle(self, order: Approved) -> OrderReport | None:
        """Wait until the order can no longer arrive before the position is read again."""
        await self._sleep(order.request.recv_window_ms / 1000 + PAUSE_S)
        try:
            return await self._venue.order(order.request.symbol, order.request.client_id)
        except VenueError:
            return None

    async def _position(self, symbol: str) -> Position | None:
        return next((position for position in await self._venue.positions() if position.symbol == symbol), None)


def _result(sale: Sale, closed: Decimal | None, *, done: bool, why: str) -> dict[str, Any]:
    amount = "an unknown quantity" if closed is None else str(closed)
    said = f"{sale.symbol}: closed {amount} of {sale.quantity}" + (f"; {why}" if why else "")
    return {"symbol": sale.symbol, "wanted": str(sale.quantity), "closed": amount, "done": done, "said": said}
