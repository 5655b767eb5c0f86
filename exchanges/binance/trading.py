"""The private half of Binance USD-M: order entry over its WebSocket with REST behind it, reads over REST."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Sequence
from dataclasses import replace
from typing import Any

from exchanges import wire
from exchanges.binance import requests, wire_account, wire_orders, wire_rules, wire_stops
from exchanges.binance.calls import Calls
from exchanges.binance.codes import CODES, MARGIN_TYPE_UNCHANGED
from exchanges.binance.history import History
from exchanges.binance.private_stream import ListenKey, PrivateStream
from exchanges.binance.rest import PRIVATE_V2, PRIVATE_V3
from exchanges.binance.tongue import refusal_in
from exchanges.binance.weights import COSTS, FEE_BURN, LISTEN_KEY, TIME
from exchanges.errors import BadReply, OutcomeUnknown, Refusal, VenueError, VenueRefused
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
from exchanges.session.answers import Answer, batch_answers, certain, failed
from exchanges.session.buffers import WholeBuffer
from exchanges.session.settings import AdapterSettings
from exchanges.session.trading_half import TradingHalf
from grid.instrument import Instrument
from grid.order import Fill, OrderReport
from grid.stop import StopReport
from risk.veto import Approved, ApprovedStop

PLACE_BATCH_MAX = 5


class BinanceTrading(TradingHalf[Calls]):
    """The `TradingVenue` of Binance USD-M, for one account in one-way mode."""

    def __init__(self, settings: AdapterSettings) -> None:
        super().__init__(settings, Calls(settings, self._note_quota), COSTS, clock_cost=TIME)
        self._history = History(self._calls.read, lambda: self._instruments, self._pay)
        self._instruments: wire.Instruments = {}
        self._positions: dict[str, Position] = {}
        self._ignored: Counter[str] = Counter()
        self._burns_other_asset: bool | None = None

    async def rules(self) -> VenueRules:
        """Read the venue's rules anew. A change that stops a symbol is an event of the private stream, told once."""
        read = wire_rules.venue_rules(await self._calls.public("exchangeInfo"), self._settings.recv_window_ms)
        merged = merge(self._instruments, read.instruments)
        self._instruments = merged.instruments
        await self._tell(merged.changes)
        return replace(read, instruments=merged.instruments, changes=merged.changes)

    async def instrument(self, symbol: str) -> Instrument:
        """Return a symbol's rules, as last read."""
        if symbol not in self._instruments:
            await self.rules()
        if symbol not in self._instruments:
            raise VenueRefused("-1121", f"no symbol {symbol}", Refusal.SYMBOL_CLOSED)
        return self._instruments[symbol]

    def place(self, order: Approved) -> Awaitable[OrderReport]:
        """Send one order, once: written to the socket before this returns, where that is up."""
        request = order.request
        instrument = self._instruments.get(request.symbol)
        if instrument is None:
            return self._place_unread(order)
        try:
            answer = self._calls.order("order.place", "POST", requests.place(request, instrument))
        except VenueError as failure:
            return failed(failure)
        return self._placed(answer, request.client_id)

    async def place_batch(self, orders: Sequence[Approved]) -> list[Answer]:
        """Send several orders: side by side over the socket, or five at a time over REST."""
        if self._calls.is_socket_up:
            return await asyncio.gather(*(self.place(order) for order in orders), return_exceptions=True)
        answers: list[Answer] = []
        for start in range(0, len(orders), PLACE_BATCH_MAX):
            chunk = orders[start : start + PLACE_BATCH_MAX]
            rows = [requests.place(o.request, await self.instrument(o.request.symbol)) for o in chunk]
            window_ms = min(order.request.recv_window_ms for order in chunk)
            params = {"batchOrders": [requests.without_window(row) for row in rows], "recvWindow": window_ms}
            reply = self._calls.write("POST", "batchOrders", params)
            client_ids = [order.request.client_id for order in chunk]
            answers.extend(await batch_answers(reply, client_ids, "batchOrders", CODES, refusal_in, self._report))
        return answers

    async def cancel(self, symbol: str, client_id: str) -> OrderReport:
        """Cancel by client id. "Unknown order" may mean filled, cancelled or not yet there: ask for the order."""
        params = requests.by_client_id(symbol, client_id, self._settings.recv_window_ms)
        return self._report(await self._calls.order("order.cancel", "DELETE", params), client_id)

    async def order(self, symbol: str, client_id: str, order_id: str = "") -> OrderReport:
        """Return the order by either id, over REST: another way than the one that may have failed."""
        await self.instrument(symbol)
        window_ms = self._settings.recv_window_ms
        if order_id:
            params = requests.by_order_id(symbol, order_id, window_ms)
        else:
            params = requests.by_client_id(symbol, client_id, window_ms)
        reply = await self._calls.read("order", dict(params))
        return wire_orders.report(wire.mapping(reply, "order"), self._instruments)

    async def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return the open orders of the account or of one symbol; algo orders are no part of it."""
        reply = await self._calls.read("openOrders", {} if symbol is None else {"symbol": symbol})
        return await self._parsed(lambda: wire_orders.reports(reply, self._instruments))

    async def place_stop(self, stop: ApprovedStop) -> StopReport:
        """Send one conditional order that closes the position, once, over REST: the socket takes none."""
        request = stop.request
        params = requests.stop(request, await self.instrument(request.symbol))
        return self._stop_report(await self._calls.write("POST", "algoOrder", dict(params)), request.client_id)

    async def cancel_stop(self, symbol: str, client_id: str) -> None:
        """Cancel by client id. "Unknown order" may mean triggered, cancelled or not yet there: ask for the stop."""
        await self._calls.write("DELETE", "algoOrder", {"symbol": symbol, "clientAlgoId": client_id})

    async def stop(self, symbol: str, client_id: str) -> StopReport:
        """Return a conditional order by our own id."""
        await self.instrument(symbol)
        reply = await self._calls.read("algoOrder", {"symbol": symbol, "clientAlgoId": client_id})
        return self._stop_report(reply, client_id)

    async def open_stops(self) -> list[StopReport]:
        """Return every conditional order of the account that waits."""
        reply = await self._calls.read("openAlgoOrders", {})
        return await self._parsed(lambda: wire_stops.reports(reply, self._instruments))

    async def account(self) -> Account:
        """Return balances and modes."""
        if self._burns_other_asset is None:
            await self._pay(FEE_BURN)
            burn = wire.mapping(await self._calls.read("feeBurn", {}), "feeBurn")
            self._burns_other_asset = wire.flag(burn, "feeBurn", "feeBurn")
        balances = await self._calls.read("account", {}, PRIVATE_V3)
        modes = await self._calls.read("accountConfig", {})
        return wire_account.account(
            balances, modes, self._settings.quote_asset, burns_other_asset=self._burns_other_asset
        )

    async def positions(self) -> list[Position]:
        """Return every position that is not flat, and those of the configured symbols.

        The second version of the endpoint is meant: it lists flat symbols too, so that a reading proves itself whole,
        and tells leverage and margin type.
        """
        reply = await self._calls.read("positionRisk", {}, PRIVATE_V2)
        wanted = self._settings.symbols
        read = await self._parsed(lambda: wire_account.positions(reply, self._instruments, wanted))
        self._positions.update({position.symbol: position for position in read})
        return read

    async def fee_rates(self, symbol: str) -> FeeRates:
        """Return what the account pays on a symbol."""
        return wire_account.fee_rates(await self._calls.read("commissionRate", {"symbol": symbol}))

    async def conduct(self) -> list[ConductIndicator]:
        """Return the quantitative rules' indicators of this account."""
        return wire_account.conduct(await self._calls.read("apiTradingStatus", {}))

    async def maintenance_tiers(self, symbol: str) -> list[MaintenanceTier]:
        """Return a symbol's maintenance brackets, smallest notional first."""
        return wire_account.tiers(await self._calls.read("leverageBracket", {"symbol": symbol}), symbol)

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
        return await self._history.income(since_ms)

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        """Set a symbol's leverage; setting the present one is no error."""
        reply = await self._calls.write("POST", "leverage", {"symbol": symbol, "leverage": leverage})
        told = _told_back(reply, "leverage", "leverage")
        if told != leverage:
            raise OutcomeUnknown(f"leverage: asked for {leverage}, the venue answers {told}")

    async def set_margin_type(self, symbol: str, margin_type: str) -> None:
        """Set `ISOLATED` or `CROSSED`; setting the present one is no error."""
        try:
            await self._calls.write("POST", "marginType", {"symbol": symbol, "marginType": margin_type.upper()})
        except VenueRefused as refusal:
            if refusal.code != MARGIN_TYPE_UNCHANGED:
                raise

    async def set_countdown(self, symbol: str, countdown_ms: int) -> None:
        """Start or renew the venue's countdown cancel of the symbol; 0 ends it. It costs a weight of 10."""
        reply = await self._calls.write("POST", "countdownCancelAll", {"symbol": symbol, "countdownTime": countdown_ms})
        told = _told_back(reply, "countdownTime", "countdownCancelAll")
        if told != countdown_ms:
            raise OutcomeUnknown(f"countdown: asked for {countdown_ms} ms, the venue answers {told}")

    def private_events(self) -> AsyncGenerator[PrivateEvent, None]:
        """Yield the private stream for ever. Nothing is dropped: a consumer that lags holds the venue back."""
        settings = self._settings
        buffer: WholeBuffer[PrivateEvent] = WholeBuffer(settings.private_buffer)
        stream = PrivateStream(
            url=self._calls.endpoints.private,
            policy=self._calls.policy,
            times=settings.socket_times,
            keep_alive_s=settings.keep_alive_s,
            key=ListenKey(lambda: self._listen_key("POST"), lambda: self._listen_key("PUT")),
            buffer=buffer,
            ages=self._ages,
            instruments=lambda: self._instruments,
            reload_rules=self._reload,
            known_positions=self._positions,
            ignored=self._ignored,
        )
        return self._private_stream(stream, buffer)

    def ignored_events(self) -> dict[str, int]:
        """Return how many private events of each kind we had no use for."""
        return dict(self._ignored)

    def addresses(self) -> dict[str, str]:
        """Return every REST address that a call could go to."""
        return self._calls.addresses()

    async def _placed(self, answer: Awaitable[Any], client_id: str) -> OrderReport:
        return self._report(await answer, client_id)

    def _report(self, result: Any, client_id: str) -> OrderReport:
        """Return the report of our order; an answer that is not readable as such leaves the outcome unknown."""

        def read() -> OrderReport:
            report = wire_orders.report(wire.mapping(result, "order"), self._instruments)
            if report.client_id != client_id:
                raise BadReply(f"order.clientOrderId: asked about {client_id}, answered {report.client_id}")
            return report

        return certain(read, CODES)

    def _stop_report(self, result: Any, client_id: str) -> StopReport:
        """Return the report of our stop; an answer that is not readable as such leaves the outcome unknown."""

        def read() -> StopReport:
            report = wire_stops.report(wire.mapping(result, "algoOrder"), self._instruments)
            if report.client_id != client_id:
                raise BadReply(f"algoOrder.clientAlgoId: asked about {client_id}, answered {report.client_id}")
            return report

        return certain(read, CODES)

    async def _listen_key(self, method: str) -> str:
        await self._pay(LISTEN_KEY)
        return await self._calls.listen_key(method)


def _told_back(reply: Any, key: str, where: str) -> int:
    """Return the number that an act set, as the venue repeats it; what can't be read leaves the outcome unknown."""
    return certain(lambda: wire.integer(wire.mapping(reply, where), key, where), CODES)
