"""The private half of Gate: order entry over its socket with REST behind it, reads over REST."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from exchanges import wire
from exchanges.cost import Cost
from exchanges.errors import BadReply, NotSupported, Refusal, VenueError, VenueRefused
from exchanges.gate import requests, wire_account, wire_orders, wire_rules, wire_stops
from exchanges.gate.calls import Calls
from exchanges.gate.codes import CODES, CONTRACT_NOT_FOUND
from exchanges.gate.contracts import Contract, Contracts, contract_name, renewed
from exchanges.gate.history import History
from exchanges.gate.holdings import Holdings
from exchanges.gate.private_stream import CHANNELS, PrivateStream
from exchanges.gate.tongue import GateAccountStreams, refusal_in
from exchanges.gate.weights import COSTS, ONE, RATE_WINDOWS
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
from exchanges.session.answers import Answer, batch_answers, certain, failed
from exchanges.session.buffers import WholeBuffer
from exchanges.session.joining import FillJoiner
from exchanges.session.settings import AdapterSettings
from exchanges.session.trading_half import TradingHalf
from grid.instrument import Instrument
from grid.order import Fill, OrderReport
from grid.stop import StopReport
from risk.veto import Approved, ApprovedStop

PLACE_BATCH_MAX = 10
RETENTION_MS = 60_000
"""So long the venue finds an ended order by our id; by its own it keeps one without a fill for ten minutes."""
LOOKED_BACK_MS = 3 * 24 * 3600 * 1000
COUNTDOWN_MIN_S = 5

T = TypeVar("T")


class GateTrading(TradingHalf[Calls]):
    """The `TradingVenue` of Gate, for one account in one-way mode."""

    def __init__(self, settings: AdapterSettings) -> None:
        super().__init__(settings, Calls(settings, self._note_quota), COSTS, clock_cost=ONE)
        self._history = History(self._calls.read, lambda: self._contracts, self._pay)
        self._holdings = Holdings(self._calls, lambda: self._contracts, self._pay, settings.symbols)
        self._joiner = FillJoiner()
        self._contracts: Contracts = {}
        self._positions: dict[str, Position] = {}

    async def rules(self) -> VenueRules:
        """Read the venue's rules anew. A change that stops a symbol is an event of the private stream, told once."""
        taken = renewed(self._contracts, wire_rules.contracts(await self._calls.public("contracts")))
        self._contracts = taken.contracts
        await self._tell(taken.changes)
        return VenueRules(
            instruments=taken.instruments,
            rate_windows=RATE_WINDOWS,
            changes=taken.changes,
            recv_window_ms=self._settings.recv_window_ms,
            id_retention_ms=RETENTION_MS,
        )

    async def instrument(self, symbol: str) -> Instrument:
        """Return a symbol's rules, as last read."""
        return (await self._contract(symbol)).instrument

    def place(self, order: Approved) -> Awaitable[OrderReport]:
        """Send one order, once: written to the socket before this returns, where that is up."""
        request = order.request
        contract = self._contracts.get(contract_name(request.symbol))
        if contract is None:
            return self._place_unread(order)
        try:
            answer = self._calls.place(requests.place(request, contract), request.recv_window_ms)
        except VenueError as failure:
            return failed(failure)
        return self._answered(answer, request.client_id, request.quantity)

    async def place_batch(self, orders: Sequence[Approved]) -> list[Answer]:
        """Send several orders: side by side over the socket, or ten at a time over REST."""
        if self._calls.is_socket_up:
            return await asyncio.gather(*(self.place(order) for order in orders), return_exceptions=True)
        answers: list[Answer] = []
        for start in range(0, len(orders), PLACE_BATCH_MAX):
            chunk = orders[start : start + PLACE_BATCH_MAX]
            rows = [requests.place(one.request, await self._contract(one.request.symbol)) for one in chunk]
            window_ms = min(order.request.recv_window_ms for order in chunk)
            reply = self._calls.write("POST", "batch_orders", body=rows, window_ms=window_ms)
            client_ids = [order.request.client_id for order in chunk]
            answers.extend(await batch_answers(reply, client_ids, "batch_orders", CODES, refusal_in, self._report))
        return answers

    async def cancel(self, symbol: str, client_id: str) -> OrderReport:
        """Cancel by client id. "Unknown order" may mean filled, cancelled or not yet there: ask for the order."""
        await self._contract(symbol)
        return await self._answered(self._calls.cancel(client_id, self._settings.recv_window_ms), client_id)

    async def order(self, symbol: str, client_id: str, order_id: str = "") -> OrderReport:
        """Return the order by either id, over REST: another way than the one that may have failed.

        Our own id is forgotten a minute after the order's end, the order is not: it is looked for among the ended ones.
        """
        await self._contract(symbol)
        name = order_id or requests.text(client_id)
        try:
            reply = await self._calls.read(f"orders/{quote(name)}")
        except VenueRefused as refusal:
            if order_id or refusal.refusal is not Refusal.UNKNOWN_ORDER:
                raise
            await self._pay(ONE)
            ended = await self._history.orders(symbol, self._calls.venue_now_ms() - LOOKED_BACK_MS)
            found = [report for report in ended if report.client_id == client_id]
            if not found:
                raise
            return found[-1]
        return wire_orders.report(wire.mapping(reply, "order"), self._contracts)

    async def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return the open orders of the account or of one symbol; conditional ones are no part of it."""
        return await self._whole(lambda: self._history.open_orders(symbol), ONE)

    async def place_stop(self, stop: ApprovedStop) -> StopReport:
        """Refuse: the venue's conditional orders carry no id of ours, so that one of unknown outcome stayed unknown."""
        raise NotSupported("gate: conditional orders carry no client id: leave exchange_stop out")

    async def cancel_stop(self, symbol: str, client_id: str) -> None:
        """Refuse, as `place_stop` does."""
        raise NotSupported("gate: conditional orders carry no client id")

    async def stop(self, symbol: str, client_id: str) -> StopReport:
        """Say that there is none of ours: none can be placed."""
        raise VenueRefused("NOT_FOUND", f"{client_id}: gate takes no stop of ours", Refusal.UNKNOWN_ORDER)

    async def open_stops(self) -> list[StopReport]:
        """Return every conditional order of the account that waits; none is ours."""

        async def read() -> list[StopReport]:
            return wire_stops.reports(await self._calls.read("price_orders", {"status": "open"}), self._contracts)

        return await self._whole(read, ONE)

    async def account(self) -> Account:
        """Return balances and modes."""
        return wire_account.account(await self._calls.read("accounts"), self._settings.quote_asset)

    async def positions(self) -> list[Position]:
        """Return every position that is not flat, and those of the configured symbols.

        The list leaves out contracts that were never held: each configured one that is not in it is asked for by name.
        """
        read = await self._whole(self._holdings.positions, ONE)
        self._positions.update({position.symbol: position for position in read})
        return read

    async def fee_rates(self, symbol: str) -> FeeRates:
        """Return what the account pays on a symbol."""
        return wire_account.fee_rates(await self._calls.read("fee", {"contract": contract_name(symbol)}), symbol)

    async def conduct(self) -> list[ConductIndicator]:
        """Return nothing: the venue tells no measures of how an account trades."""
        return []

    async def maintenance_tiers(self, symbol: str) -> list[MaintenanceTier]:
        """Return a symbol's risk tiers, smallest notional first."""
        rows = await self._calls.public("risk_limit_tiers", {"contract": contract_name(symbol)})
        return wire_account.tiers(rows, symbol)

    async def fills_since(self, symbol: str, since_ms: int, order_id: str | None = None) -> list[Fill]:
        """Return every fill from `since_ms` on (of one order, where named), paged to the end."""
        await self._contract(symbol)
        if order_id is not None:
            return await self._history.fills_of_order(symbol, order_id, since_ms)
        return await self._history.fills(symbol, since_ms)

    async def orders_since(self, symbol: str, since_ms: int) -> list[OrderReport]:
        """Return every order made from `since_ms` on that the venue still tells, ended ones too."""
        await self._contract(symbol)
        return await self._history.orders(symbol, since_ms)

    async def income_since(self, since_ms: int) -> list[Income]:
        """Return every ledger row from `since_ms` on, paged to the end."""
        return await self._history.income(self._settings.quote_asset, since_ms)

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        """Set a symbol's leverage and leave its margin type as it is; setting the present one is no error."""
        await self._contract(symbol)
        await self._holdings.set_leverage(symbol, leverage)

    async def set_margin_type(self, symbol: str, margin_type: str) -> None:
        """Set `ISOLATED` or `CROSSED` and leave the leverage as it is; setting the present one is no error."""
        await self._contract(symbol)
        await self._holdings.set_margin_type(symbol, is_isolated=margin_type.upper() == "ISOLATED")

    async def set_countdown(self, symbol: str, countdown_ms: int) -> None:
        """Start or renew the venue's countdown cancel of the symbol, in whole seconds; 0 ends it."""
        seconds = -(-countdown_ms // 1000)
        if 0 < seconds < COUNTDOWN_MIN_S:
            raise NotSupported(f"gate: a countdown is {COUNTDOWN_MIN_S} s or more, {countdown_ms} ms was asked for")
        body = {"timeout": seconds, "contract": contract_name(symbol)}
        reply = await self._calls.write("POST", "countdown_cancel_all", body=body)
        certain(lambda: wire.integer(wire.mapping(reply, "countdown"), "triggerTime", "countdown"), CODES)

    def private_events(self) -> AsyncGenerator[PrivateEvent, None]:
        """Yield the private stream for ever. Nothing is dropped: a consumer that lags holds the venue back."""
        buffer: WholeBuffer[PrivateEvent] = WholeBuffer(self._settings.private_buffer)
        stream = PrivateStream(
            buffer=buffer,
            contracts=lambda: self._contracts,
            reload_rules=self._reload,
            read_order=self._order_of,
            known_positions=self._positions,
            joiner=self._joiner,
            monotonic_ns=self._settings.monotonic_ns,
        )
        tongue = GateAccountStreams(self._calls.credentials, self._calls.venue_now_ms)
        subscription = self._subscription(
            self._calls.endpoints.socket,
            tongue,
            CHANNELS,
            take=stream.take,
            announce=buffer.put,
            prepare=self._know_positions,
            log_in=tongue.log_in,
        )
        return self._swept_stream(subscription, buffer, stream.sweep)

    async def _contract(self, symbol: str) -> Contract:
        name = contract_name(symbol)
        if name not in self._contracts:
            await self.rules()
        if name not in self._contracts:
            raise VenueRefused(CONTRACT_NOT_FOUND, f"no symbol {symbol}", Refusal.SYMBOL_CLOSED)
        return self._contracts[name]

    async def _answered(self, answer: Awaitable[Any], client_id: str, quantity: int = 0) -> OrderReport:
        return self._report(await answer, client_id, quantity)

    def _report(self, result: Any, client_id: str, quantity: int = 0) -> OrderReport:
        """Return the report of our order; an answer that is not one of it leaves the outcome unknown."""

        def read() -> OrderReport:
            report = wire_orders.report(wire.mapping(result, "order"), self._contracts)
            if report.client_id != client_id:
                raise BadReply(f"order.text: asked about {client_id}, answered {report.client_id}")
            if quantity and report.quantity != quantity:
                raise BadReply(f"order.size: asked for {quantity} steps, answered {report.quantity}")
            return report

        return certain(read, CODES)

    async def _order_of(self, fill: Fill) -> OrderReport:
        await self._pay(ONE)
        return await self.order(fill.symbol, "", fill.order_id)

    async def _know_positions(self) -> None:
        """Know leverage and margin before the stream tells of a change."""
        if any(symbol not in self._positions for symbol in self._settings.symbols):
            await self._pay(ONE)
            await self.positions()

    async def _whole(self, read: Callable[[], Awaitable[list[T]]], cost: Cost) -> list[T]:
        if not self._contracts:
            await self._reload()
        return await super()._whole(read, cost)
