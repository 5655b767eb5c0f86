"""The private half of Bitget: order entry over its WebSocket with REST behind it, reads over REST."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Sequence

from websockets.asyncio.client import ClientConnection

from exchanges import wire
from exchanges.bitget import wire_account, wire_orders, wire_rules, wire_stops
from exchanges.bitget.calls import Calls
from exchanges.bitget.codes import LEVERAGE_UNCHANGED, SYMBOL_UNKNOWN
from exchanges.bitget.entry import Entry
from exchanges.bitget.history import History
from exchanges.bitget.private_stream import CHANNELS, PrivateStream
from exchanges.bitget.requests import MARGIN_COIN, PRODUCT
from exchanges.bitget.tongue import BitgetStreams, log_in
from exchanges.bitget.weights import COSTS, ONE, POSITIONS, RATE_WINDOWS
from exchanges.bitget.wire_account import Terms
from exchanges.errors import BadReply, NotSupported, OutcomeUnknown, Refusal, VenueRefused
from exchanges.port import (
    Account,
    ConductIndicator,
    FeeRates,
    Income,
    MaintenanceTier,
    Position,
    PrivateEvent,
    VenueRules,
)
from exchanges.rulebook import merge
from exchanges.session.answers import Answer
from exchanges.session.buffers import WholeBuffer
from exchanges.session.settings import AdapterSettings
from exchanges.session.trading_half import TradingHalf
from grid.instrument import Instrument
from grid.order import Fill, OrderReport
from grid.stop import StopReport
from risk.veto import Approved, ApprovedStop

RETENTION_MS = 24 * 3600 * 1000
"""How long an order that ended is told of is not documented; its lists reach back 90 days, and a day is counted on."""


class BitgetTrading(TradingHalf[Calls]):
    """The `TradingVenue` of Bitget, for one classic account in one-way mode."""

    def __init__(self, settings: AdapterSettings) -> None:
        super().__init__(settings, Calls(settings, self._note_quota), COSTS, clock_cost=ONE)
        self._history = History(self._calls.futures, lambda: self._instruments, self._pay)
        self._entry = Entry(self._calls, lambda: self._instruments, self._pay)
        self._instruments: wire.Instruments = {}
        self._terms: dict[str, Terms] = {}
        self._turn = 0
        """Counts readings: whose settings are read anew with each."""
        self._positions: dict[str, Position] = {}

    async def connect(self) -> None:
        """Load the rules, measure the clock, learn the symbols' margin modes, open the order socket."""
        await self.rules()
        await self._calls.measure_clock()
        for symbol in self._settings.symbols:
            if symbol in self._instruments:
                await self._pay(ONE)
                await self._read_terms(symbol)
        await self._calls.open_socket()

    async def rules(self) -> VenueRules:
        """Read the venue's rules anew. A change that stops a symbol is an event of the private stream, told once."""
        rows = await self._calls.public("/api/v2/mix/market/contracts", {"productType": PRODUCT})
        merged = merge(self._instruments, wire_rules.instruments(rows))
        self._instruments = merged.instruments
        await self._tell(merged.changes)
        return VenueRules(
            instruments=merged.instruments,
            rate_windows=RATE_WINDOWS,
            changes=merged.changes,
            recv_window_ms=self._settings.recv_window_ms,
            id_retention_ms=RETENTION_MS,
        )

    async def instrument(self, symbol: str) -> Instrument:
        """Return a symbol's rules, as last read."""
        if symbol not in self._instruments:
            await self.rules()
        if symbol not in self._instruments:
            raise VenueRefused(SYMBOL_UNKNOWN, f"no symbol {symbol}", Refusal.SYMBOL_CLOSED)
        return self._instruments[symbol]

    def place(self, order: Approved) -> Awaitable[OrderReport]:
        """Send one order, once: written to the socket before this returns, where that is up."""
        symbol = order.request.symbol
        instrument, terms = self._instruments.get(symbol), self._terms.get(symbol)
        if instrument is None or terms is None:
            return self._place_unread(order)
        return self._entry.place(order.request, instrument, terms.margin_mode)

    async def place_batch(self, orders: Sequence[Approved]) -> list[Answer]:
        """Send several orders: side by side over the socket, or fifty at a time over REST."""
        made = []
        for order in orders:
            instrument = await self.instrument(order.request.symbol)
            made.append((order.request, instrument, (await self._terms_of(order.request.symbol)).margin_mode))
        return await self._entry.place_batch(made)

    async def cancel(self, symbol: str, client_id: str) -> OrderReport:
        """Cancel by client id and read what became of it. "Unknown order" may mean filled: ask for the order."""
        await self.instrument(symbol)
        return await self._entry.cancel(symbol, client_id)

    async def order(self, symbol: str, client_id: str, order_id: str = "") -> OrderReport:
        """Return the order by either id, over REST: another way than the one that may have failed."""
        await self.instrument(symbol)
        return await self._entry.find(symbol, client_id, order_id)

    async def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return the open orders of the account or of one symbol; conditional ones are no part of it."""
        rows = await self._history.open_orders(symbol)
        return await self._parsed(lambda: wire_orders.reports(rows, self._instruments))

    async def place_stop(self, stop: ApprovedStop) -> StopReport:
        """Raise `NotSupported`: a stop that closes the position is not among what this adapter sends."""
        raise NotSupported("bitget: conditional orders are read and not placed: leave exchange_stop out")

    async def cancel_stop(self, symbol: str, client_id: str) -> None:
        """Raise `NotSupported`: there can be none of ours."""
        raise NotSupported("bitget: conditional orders are read and not cancelled: leave exchange_stop out")

    async def stop(self, symbol: str, client_id: str) -> StopReport:
        """Return a conditional order that waits, by client id; one of ours was never placed."""
        for report in await self.open_stops():
            if (report.symbol, report.client_id) == (symbol, client_id):
                return report
        raise VenueRefused("43025", f"no conditional order {client_id} waits", Refusal.UNKNOWN_ORDER)

    async def open_stops(self) -> list[StopReport]:
        """Return every conditional order of the account that waits, from each of the venue's lists."""
        rows: list[wire.Row] = []
        for number, kind in enumerate(wire_stops.KINDS):
            if number:
                await self._pay(ONE)
            rows += await self._history.pages("order/orders-plan-pending", {"planType": kind}, "entrustedList")
        return await self._parsed(lambda: [wire_stops.report(row, self._instruments) for row in rows])

    async def account(self) -> Account:
        """Return balances and modes."""
        symbol = next(iter(self._settings.symbols), "BTCUSDT")
        return wire_account.account(await self._account_for(symbol))

    async def positions(self) -> list[Position]:
        """Return every position that is not flat, and those of the configured symbols.

        The list leaves out flat ones, so that an absence proves nothing by itself: where the last reading held
        something, or there was none, it is read a second time. A flat symbol has the settings last read or set; with
        each reading those of one flat symbol are read anew, in turn.
        """
        read = await self._read_positions()
        if any(self._may_hold(symbol) and symbol not in read for symbol in self._settings.symbols):
            await self._pay(POSITIONS)
            again = await self._read_positions()
            read = {**read, **again}
        for held in read.values():
            if held.quantity:
                mode = wire_account.ISOLATED if held.is_isolated else wire_account.CROSSED
                await self._learn_terms(held.symbol, Terms(margin_mode=mode, leverage=held.leverage))
        flat = [symbol for symbol in self._settings.symbols if symbol not in read]
        if flat:
            self._turn += 1
            await self._pay(ONE)
            chosen = flat[self._turn % len(flat)]
            await self._learn_terms(chosen, wire_account.terms(await self._account_for(chosen)))
        for symbol in flat:
            terms = await self._terms_of(symbol)
            read[symbol] = wire_account.flat(symbol, terms, self._calls.venue_now_ms())
        self._positions.update(read)
        return list(read.values())

    async def fee_rates(self, symbol: str) -> FeeRates:
        """Return what the account pays on a symbol."""
        query = {"symbol": symbol, "businessType": "mix"}
        return wire_account.fee_rates(await self._calls.read("/api/v2/common/trade-rate", query), symbol)

    async def conduct(self) -> list[ConductIndicator]:
        """Return nothing: the venue tells no measures of how an account trades."""
        return []

    async def maintenance_tiers(self, symbol: str) -> list[MaintenanceTier]:
        """Return a symbol's tiers, smallest notional first."""
        query = {"symbol": symbol, "productType": PRODUCT}
        return wire_account.tiers(await self._calls.public("/api/v2/mix/market/query-position-lever", query), symbol)

    async def fills_since(self, symbol: str, since_ms: int, order_id: str | None = None) -> list[Fill]:
        """Return every fill from `since_ms` on (of one order, where named), paged to the end."""
        await self.instrument(symbol)
        fills = await self._history.fills(symbol, since_ms, self._calls.venue_now_ms(), order_id or "")
        return [fill for fill in fills if fill.venue_ms >= since_ms and order_id in (None, fill.order_id)]

    async def orders_since(self, symbol: str, since_ms: int) -> list[OrderReport]:
        """Return every order made from `since_ms` on that the venue still tells, ended ones too."""
        await self.instrument(symbol)
        return await self._history.orders(symbol, since_ms, self._calls.venue_now_ms())

    async def income_since(self, since_ms: int) -> list[Income]:
        """Return every ledger row from `since_ms` on, paged to the end."""
        return await self._history.income(since_ms, self._calls.venue_now_ms())

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        """Set a symbol's leverage; setting the present one is no error."""
        body = {**_of(symbol), "leverage": str(leverage)}
        try:
            data = await self._calls.write("account/set-leverage", body)
        except VenueRefused as refusal:
            if refusal.code != LEVERAGE_UNCHANGED:
                raise
            return
        told = wire.mapping(data, "set-leverage") if isinstance(data, dict) else {}
        if str(leverage) not in (told.get("crossMarginLeverage"), told.get("longLeverage")):
            raise OutcomeUnknown(f"leverage: asked for {leverage}, the venue answers {wire.shown(data)}")
        if (known := self._terms.get(symbol)) is not None:
            self._terms[symbol] = Terms(margin_mode=known.margin_mode, leverage=leverage)

    async def set_margin_type(self, symbol: str, margin_type: str) -> None:
        """Set `ISOLATED` or `CROSSED`; the present one is not set again, which a position would forbid."""
        wanted = margin_type.lower()
        await self._pay(ONE)
        if (await self._read_terms(symbol)).margin_mode == wanted:
            return
        data = await self._calls.write("account/set-margin-mode", {**_of(symbol), "marginMode": wanted})
        if not isinstance(data, dict) or data.get("marginMode") != wanted:
            raise OutcomeUnknown(f"margin mode: asked for {wanted}, the venue answers {wire.shown(data)}")
        await self._pay(ONE)
        await self._read_terms(symbol)

    async def set_countdown(self, symbol: str, countdown_ms: int) -> None:
        """End it (0), which changes nothing. A classic account has no countdown: see `NotSupported`."""
        if countdown_ms:
            raise NotSupported("bitget has no countdown for the orders of a classic account: leave countdown_s out")

    def private_events(self) -> AsyncGenerator[PrivateEvent, None]:
        """Yield the private stream for ever. Nothing is dropped: a consumer that lags holds the venue back."""
        buffer: WholeBuffer[PrivateEvent] = WholeBuffer(self._settings.private_buffer)
        stream = PrivateStream(
            buffer=buffer,
            instruments=lambda: self._instruments,
            reload_rules=self._reload,
            known_positions=self._positions,
            terms=self._terms,
        )
        subscription = self._subscription(
            self._calls.endpoints.private,
            BitgetStreams(),
            CHANNELS,
            take=stream.take,
            announce=stream.announce,
            log_in=self._log_in,
        )
        return self._private_stream(subscription, buffer)

    async def _place_unread(self, order: Approved) -> OrderReport:
        await self.instrument(order.request.symbol)
        await self._terms_of(order.request.symbol)
        return await self.place(order)

    async def _terms_of(self, symbol: str) -> Terms:
        known = self._terms.get(symbol)
        if known is None:
            await self._pay(ONE)
            known = await self._read_terms(symbol)
        return known

    async def _learn_terms(self, symbol: str, read: Terms) -> None:
        """Tell of settings that another hand changed: of a flat symbol no event does."""
        before = self._terms.get(symbol, read)
        self._terms[symbol] = read
        await self._tell_settings(wire_account.changed_terms(symbol, before, read))

    async def _read_terms(self, symbol: str) -> Terms:
        self._terms[symbol] = read = wire_account.terms(await self._account_for(symbol))
        return read

    async def _account_for(self, symbol: str) -> wire.Row:
        query = {"symbol": symbol, "marginCoin": MARGIN_COIN}
        return wire.mapping(await self._calls.futures("account/account", query), "account")

    async def _read_positions(self) -> dict[str, Position]:
        data = await self._calls.futures("position/all-position", {"marginCoin": MARGIN_COIN})
        rows = [wire.mapping(row, "all-position") for row in wire.sequence(data, "all-position")]
        read = await self._parsed(lambda: [wire_account.position(row, self._instruments) for row in rows])
        found = {position.symbol: position for position in read}
        if len(found) != len(read):
            raise BadReply("all-position: two rows for one symbol")
        return found

    def _may_hold(self, symbol: str) -> bool:
        known = self._positions.get(symbol)
        return known is None or known.quantity != 0

    async def _log_in(self, connection: ClientConnection) -> None:
        await log_in(connection, self._calls.credentials, self._calls.venue_now_ms())


def _of(symbol: str) -> dict[str, str]:
    return {"symbol": symbol, "productType": PRODUCT, "marginCoin": MARGIN_COIN}
