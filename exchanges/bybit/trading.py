"""The private half of Bybit: order entry over its WebSocket with REST behind it, reads over REST."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Sequence

from websockets.asyncio.client import ClientConnection

from exchanges import wire
from exchanges.bybit import wire_account, wire_rules
from exchanges.bybit.calls import Calls
from exchanges.bybit.codes import LEVERAGE_UNCHANGED, SYMBOL_UNKNOWN
from exchanges.bybit.entry import Entry
from exchanges.bybit.history import History
from exchanges.bybit.private_stream import TOPICS, PrivateStream
from exchanges.bybit.requests import CATEGORY
from exchanges.bybit.tongue import BybitStreams, log_in
from exchanges.bybit.weights import ACCOUNT_KEY, COSTS, ONE, RATE_WINDOWS
from exchanges.errors import BadReply, NotSupported, Refusal, VenueRefused
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

RULES_MAX, POSITIONS_MAX = 1000, 200
RETENTION_MS = 24 * 3600 * 1000
"""The venue tells of the last 500 orders that ended, and of the rest for days; a day is what we count on."""


class BybitTrading(TradingHalf[Calls]):
    """The `TradingVenue` of Bybit, for one unified account in one-way mode."""

    def __init__(self, settings: AdapterSettings) -> None:
        super().__init__(settings, Calls(settings, self._note_quota), COSTS, clock_cost=ONE)
        self._history = History(self._calls.read, lambda: self._instruments, self._pay)
        self._entry = Entry(self._calls, self._history, lambda: self._instruments, self._pay, settings.recv_window_ms)
        self._instruments: wire.Instruments = {}
        self._positions: dict[str, Position] = {}
        self._hedged: set[str] = set()
        self._modes: wire_account.Modes | None = None
        self._can_trade: bool | None = None

    async def rules(self) -> VenueRules:
        """Read the venue's rules anew. A change that stops a symbol is an event of the private stream, told once."""
        read: wire.Instruments = {}
        query: dict[str, str | int] = {"category": CATEGORY, "limit": RULES_MAX}
        while True:
            page = await self._calls.public("market/instruments-info", query)
            read.update(wire_rules.instruments(page))
            cursor = wire_rules.next_page(page)
            if not cursor or cursor == query.get("cursor"):
                break
            query["cursor"] = cursor
            await self._pay(ONE)
        merged = merge(self._instruments, read)
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
            raise VenueRefused(str(SYMBOL_UNKNOWN), f"no symbol {symbol}", Refusal.SYMBOL_CLOSED)
        return self._instruments[symbol]

    def place(self, order: Approved) -> Awaitable[OrderReport]:
        """Send one order, once: written to the socket before this returns, where that is up."""
        instrument = self._instruments.get(order.request.symbol)
        if instrument is None:
            return self._place_unread(order)
        return self._entry.place(order.request, instrument)

    async def place_batch(self, orders: Sequence[Approved]) -> list[Answer]:
        """Send several orders: side by side over the socket, or twenty at a time over REST."""
        return await self._entry.place_batch([(order, await self.instrument(order.request.symbol)) for order in orders])

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
        return await self._whole(lambda: self._entry.open_orders(symbol), ONE)

    async def place_stop(self, stop: ApprovedStop) -> StopReport:
        """Send one conditional order that closes the position, once, over REST."""
        return await self._entry.place_stop(stop, await self.instrument(stop.request.symbol))

    async def cancel_stop(self, symbol: str, client_id: str) -> None:
        """Cancel by client id. "Unknown order" may mean triggered, cancelled or not yet there: ask for the stop."""
        await self._entry.cancel_stop(symbol, client_id)

    async def stop(self, symbol: str, client_id: str) -> StopReport:
        """Return a conditional order by our own id."""
        await self.instrument(symbol)
        return await self._entry.stop(symbol, client_id)

    async def open_stops(self) -> list[StopReport]:
        """Return every conditional order of the account that waits."""
        return await self._whole(self._entry.open_stops, ONE)

    async def account(self) -> Account:
        """Return balances and modes; the key's rights and the position mode are read with the first of them."""
        if self._can_trade is None:
            await self._pay(ACCOUNT_KEY)
            self._can_trade = wire_account.can_trade(await self._calls.read("user/query-api", {}))
        await self._know_positions()
        balances = await self._calls.read("account/wallet-balance", {"accountType": "UNIFIED"})
        self._modes = modes = wire_account.modes(await self._calls.read("account/info", {}))
        asset = self._settings.quote_asset
        return wire_account.account(balances, modes, asset, is_one_way=not self._hedged, can_trade=self._can_trade)

    async def positions(self) -> list[Position]:
        """Return every position that is not flat, and those of the configured symbols.

        The list of an asset leaves out flat ones, so that an empty one proves nothing: each configured symbol that is
        not in it is asked for by name.
        """
        if self._modes is None:
            await self._pay(ONE)
            self._modes = wire_account.modes(await self._calls.read("account/info", {}))
        query: dict[str, str | int] = {"category": CATEGORY, "limit": POSITIONS_MAX}
        pages = await self._history.pages("position/list", {**query, "settleCoin": self._settings.quote_asset})
        rows = [row for page in pages for row in _rows(page) if not wire_account.is_flat(row)]
        held = {row.get("symbol") for row in rows}
        for symbol in self._settings.symbols:
            if symbol not in held:
                await self._pay(ONE)
                found = _rows(await self._calls.read("position/list", {**query, "symbol": symbol}))
                rows.extend(found)
                if not any(row.get("symbol") == symbol for row in found):
                    raise BadReply(f"position/list: no row for {symbol}")
        read = await self._parsed(lambda: self._positions_of(rows))
        self._positions.update({position.symbol: position for position in read})
        return read

    async def fee_rates(self, symbol: str) -> FeeRates:
        """Return what the account pays on a symbol."""
        result = await self._calls.read("account/fee-rate", {"category": CATEGORY, "symbol": symbol})
        return wire_account.fee_rates(result, symbol)

    async def conduct(self) -> list[ConductIndicator]:
        """Return nothing: the venue tells no measures of how an account trades."""
        return []

    async def maintenance_tiers(self, symbol: str) -> list[MaintenanceTier]:
        """Return a symbol's risk tiers, smallest notional first."""
        result = await self._calls.public("market/risk-limit", {"category": CATEGORY, "symbol": symbol})
        return wire_account.tiers(wire.sequence(result.get("list"), "risk-limit.list"), symbol)

    async def fills_since(self, symbol: str, since_ms: int, order_id: str | None = None) -> list[Fill]:
        """Return every fill from `since_ms` on (of one order, where named), paged to the end."""
        await self.instrument(symbol)
        if order_id is not None:
            fills = await self._history.fills_of_order(symbol, order_id)
            return [fill for fill in fills if fill.venue_ms >= since_ms]
        return await self._history.fills(symbol, since_ms, self._calls.venue_now_ms())

    async def orders_since(self, symbol: str, since_ms: int) -> list[OrderReport]:
        """Return every order made from `since_ms` on that the venue still tells, ended ones too."""
        await self.instrument(symbol)
        return await self._history.orders(symbol, since_ms, self._calls.venue_now_ms())

    async def income_since(self, since_ms: int) -> list[Income]:
        """Return every ledger row from `since_ms` on, paged to the end."""
        return await self._history.income(self._settings.quote_asset, since_ms, self._calls.venue_now_ms())

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        """Set a symbol's leverage; setting the present one is no error."""
        wanted = str(leverage)
        body = {"category": CATEGORY, "symbol": symbol, "buyLeverage": wanted, "sellLeverage": wanted}
        try:
            await self._calls.write("position/set-leverage", body)
        except VenueRefused as refusal:
            if refusal.code != LEVERAGE_UNCHANGED:
                raise

    async def set_margin_type(self, symbol: str, margin_type: str) -> None:
        """See that margin is `ISOLATED` or `CROSSED`; it is the whole account's at this venue, and never set by us."""
        is_isolated = margin_type.upper() == "ISOLATED"
        modes = wire_account.modes(await self._calls.read("account/info", {}))
        if modes.margin == wire_account.PORTFOLIO or modes.is_isolated != is_isolated:
            words = f"the account's margin mode is {modes.margin}, {margin_type.upper()} is wanted"
            raise NotSupported(f"bybit: {words}: it is one for all symbols, so set it at the venue")

    async def set_countdown(self, symbol: str, countdown_ms: int) -> None:
        """End it (0), which changes nothing. The venue has no countdown of a symbol: see `NotSupported`."""
        if countdown_ms:
            raise NotSupported("bybit has no countdown for a symbol's orders: leave countdown_s out")

    def private_events(self) -> AsyncGenerator[PrivateEvent, None]:
        """Yield the private stream for ever. Nothing is dropped: a consumer that lags holds the venue back."""
        buffer: WholeBuffer[PrivateEvent] = WholeBuffer(self._settings.private_buffer)
        stream = PrivateStream(
            buffer=buffer,
            instruments=lambda: self._instruments,
            reload_rules=self._reload,
            known_positions=self._positions,
        )
        subscription = self._subscription(
            self._calls.endpoints.private,
            BybitStreams(),
            TOPICS,
            take=stream.take,
            announce=buffer.put,
            prepare=self._know_positions,
            log_in=self._log_in,
        )
        return self._private_stream(subscription, buffer)

    def _positions_of(self, rows: list[wire.Row]) -> list[Position]:
        """Return the positions, one a symbol; raises `NotSupported` where one side of a hedge holds something."""
        is_isolated = self._modes is not None and self._modes.is_isolated
        found: dict[str, Position] = {}
        hedged: set[str] = set()
        for row in rows:
            if not wire_account.is_one_way(row):
                if not wire_account.is_flat(row):
                    raise NotSupported(f"{row.get('symbol')} holds a position of hedge mode: one-way mode is required")
                hedged.add(wire.text(row, "symbol", "position"))
            read = wire_account.position(row, self._instruments, is_isolated=is_isolated, entry_key="avgPrice")
            found[read.symbol] = read
        self._hedged = hedged
        return list(found.values())

    async def _know_positions(self) -> None:
        """Read what the stream's events are compared with: they tell a leverage, not that it was changed."""
        if any(symbol not in self._positions for symbol in self._settings.symbols):
            await self._pay(ONE)
            await self.positions()

    async def _log_in(self, connection: ClientConnection) -> None:
        await log_in(connection, self._calls.credentials, self._calls.venue_now_ms())


def _rows(page: wire.Row) -> list[wire.Row]:
    return [wire.mapping(value, "position") for value in wire.sequence(page.get("list"), "position.list")]
