"""The private half of OKX: order entry over its private socket with REST behind it, reads over REST."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Sequence

from exchanges import wire
from exchanges.cost import Cost
from exchanges.errors import OutcomeUnknown, VenueError
from exchanges.okx import requests, wire_account, wire_orders, wire_rules
from exchanges.okx.answers import acknowledged, item_of, told_back
from exchanges.okx.calls import Calls
from exchanges.okx.conditional import ConditionalOrders
from exchanges.okx.contracts import Contract, Contracts
from exchanges.okx.countdown import Countdowns
from exchanges.okx.history import History
from exchanges.okx.holdings import flat_positions, marks
from exchanges.okx.private_stream import PRIVATE_STREAMS, PrivateTaking
from exchanges.okx.tongue import OkxStreams
from exchanges.okx.weights import COSTS, ORDER_READ, TIME
from exchanges.port import (
    Account,
    ConductIndicator,
    ConfigurationChanged,
    FeeRates,
    Income,
    MaintenanceTier,
    Position,
    PrivateEvent,
    VenueRules,
)
from exchanges.session.answers import Answer, failed
from exchanges.session.buffers import WholeBuffer
from exchanges.session.settings import AdapterSettings
from exchanges.session.trading_half import TradingHalf
from grid.client_id import decode
from grid.instrument import Instrument
from grid.order import Fill, OrderReport, OrderRequest, Purpose, TimeInForce
from grid.stop import StopReport
from risk.veto import Approved, ApprovedStop

BATCH_MAX = 20
CANCEL_LOOKS = 3
CANCEL_LOOK_S = 0.05
"""A cancel is acknowledged before it is done: so often, and so long apart, the order is asked for."""


class OkxTrading(TradingHalf[Calls]):
    """The `TradingVenue` of OKX, for one account in net (one-way) mode."""

    def __init__(self, settings: AdapterSettings) -> None:
        super().__init__(settings, Calls(settings, self._note_quota), COSTS, clock_cost=TIME)
        self._history = History(self._calls.read, lambda: self._contracts, self._pay)
        self._conditional = ConditionalOrders(self._calls, lambda: self._contracts, self._pay)
        self._contracts = Contracts()
        self._margin_modes: dict[str, str] = {}
        """By symbol; an order names its margin mode, so there is nothing to set at the venue. Cross where none is."""
        self._leverages: dict[str, int] = {}
        """By symbol, as last read or set."""
        self._countdowns = Countdowns()
        self._ignored: Counter[str] = Counter()

    async def rules(self) -> VenueRules:
        """Read the venue's rules anew. A change that stops a symbol is an event of the private stream, told once."""
        read = wire_rules.contracts(await self._calls.public("public/instruments", instType="SWAP"))
        self._contracts = self._contracts.renewed(read)
        await self._tell(self._contracts.changes)
        return VenueRules(
            instruments=self._contracts.instruments,
            rate_windows=wire_rules.WINDOWS,
            changes=dict(self._contracts.changes),
            recv_window_ms=self._settings.recv_window_ms,
            id_retention_ms=wire_rules.RETENTION_MS,
        )

    async def instrument(self, symbol: str) -> Instrument:
        """Return a symbol's rules, as last read."""
        return (await self._contract(symbol)).instrument

    def place(self, order: Approved) -> Awaitable[OrderReport]:
        """Send one order, once: written to the socket before this returns, where that is up."""
        request = order.request
        contract = self._contracts.by_symbol.get(request.symbol)
        if contract is None:
            return self._place_unread(order)
        row = requests.place(request, contract, self._margin_mode(request.symbol))
        try:
            answer = self._calls.order("order", row, contract, good_for_ms=request.recv_window_ms)
        except VenueError as failure:
            return failed(failure)
        return self._placed(answer, request)

    async def place_batch(self, orders: Sequence[Approved]) -> list[Answer]:
        """Send several orders: side by side over the socket, or twenty at a time over REST."""
        if self._calls.is_socket_up:
            return await asyncio.gather(*(self.place(order) for order in orders), return_exceptions=True)
        answers: list[Answer] = []
        for start in range(0, len(orders), BATCH_MAX):
            answers.extend(await self._batch([order.request for order in orders[start : start + BATCH_MAX]]))
        return answers

    async def cancel(self, symbol: str, client_id: str) -> OrderReport:
        """Cancel by client id, and return what became of the order: the venue's answer only says that it will be.

        "Unknown order" may mean filled, cancelled or not yet there: ask for the order.
        """
        contract = await self._contract(symbol)
        await self._calls.order("cancel-order", requests.by_client_id(client_id, contract), contract)
        try:
            report = await self.order(symbol, client_id)
            for _ in range(CANCEL_LOOKS - 1):
                if report.status.is_terminal:
                    break
                await asyncio.sleep(CANCEL_LOOK_S)
                report = await self.order(symbol, client_id)
        except VenueError as failure:
            raise OutcomeUnknown(f"the cancel was taken, and the order could not be read: {failure}") from None
        return report

    async def order(self, symbol: str, client_id: str, order_id: str = "") -> OrderReport:
        """Return the order by either id, over REST: another way than the one that may have failed."""
        contract = await self._contract(symbol)
        identity = None if order_id else decode(client_id, symbol)
        if identity is not None and identity.purpose is Purpose.STOP:
            order_id = await self._conditional.order_id(client_id)
        name = {"ordId": order_id} if order_id else {"clOrdId": client_id}
        reply = await self._calls.read("trade/order", {"instId": contract.inst_id, **name})
        return wire_orders.report(wire_rules.only_row(reply, "order"), self._contracts)

    async def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return the open orders of the account or of one symbol, paged to the end; algo orders are no part of it."""
        query: dict[str, str | int] = {"instType": "SWAP"}
        if symbol is not None:
            query["instId"] = (await self._contract(symbol)).inst_id
        found = await self._history.open_orders(query)
        return await self._parsed(lambda: wire_orders.reports({"data": found}, self._contracts))

    async def place_stop(self, stop: ApprovedStop) -> StopReport:
        """Send one conditional order that closes the position, once, over REST."""
        symbol = stop.request.symbol
        return await self._conditional.place(stop.request, await self._contract(symbol), self._margin_mode(symbol))

    async def cancel_stop(self, symbol: str, client_id: str) -> None:
        """Cancel by client id. "Unknown order" may mean triggered, cancelled or not yet there: ask for the stop."""
        await self._conditional.cancel(client_id, await self._contract(symbol))

    async def stop(self, symbol: str, client_id: str) -> StopReport:
        """Return a conditional order by our own id."""
        await self._contract(symbol)
        return await self._conditional.find(client_id)

    async def open_stops(self) -> list[StopReport]:
        """Return every conditional order of the account that waits, of any kind and anybody's."""
        return await self._whole(self._conditional.waiting, Cost())

    async def account(self) -> Account:
        """Return balances and modes."""
        balances = await self._calls.read("account/balance", {"ccy": self._settings.quote_asset})
        configuration = await self._calls.read("account/config")
        return wire_account.account(balances, configuration, self._settings.quote_asset)

    async def positions(self) -> list[Position]:
        """Return every position that is not flat, and those of the configured symbols.

        The venue lists none that is flat: what it says elsewhere of leverage and mark price makes those of the
        configured symbols.
        """
        reply = await self._calls.read("account/positions", {"instType": "SWAP"})
        read = await self._parsed(lambda: wire_account.positions(reply, self._contracts))
        for position in read:
            self._margin_modes[position.symbol] = "isolated" if position.is_isolated else "cross"
        missing = wire_account.wanted_flat(read, self._settings.symbols)
        read += await flat_positions(
            [(await self._contract(symbol), self._margin_mode(symbol)) for symbol in missing], self._calls
        )
        await self._learn_leverages(read)
        return read

    async def fee_rates(self, symbol: str) -> FeeRates:
        """Return what the account pays on a symbol."""
        contract = await self._contract(symbol)
        query = {"instType": "SWAP", "instFamily": contract.family}
        return wire_account.fee_rates(await self._calls.read("account/trade-fee", query), contract)

    async def conduct(self) -> list[ConductIndicator]:
        """Return nothing: the venue publishes no such measures."""
        return []

    async def maintenance_tiers(self, symbol: str) -> list[MaintenanceTier]:
        """Return a symbol's maintenance brackets, smallest notional first, valued at the present mark price."""
        contract = await self._contract(symbol)
        mark, _ = (await marks(self._calls))[contract.inst_id]
        query = {"instType": "SWAP", "tdMode": self._margin_mode(symbol), "instFamily": contract.family}
        return wire_account.tiers(await self._calls.public("public/position-tiers", **query), contract, mark)

    async def fills_since(self, symbol: str, since_ms: int, order_id: str | None = None) -> list[Fill]:
        """Return every fill from `since_ms` on (of one order, where named), paged to the end."""
        contract = await self._contract(symbol)
        return await self._history.fills(contract, since_ms, self._calls.venue_now_ms(), order_id)

    async def orders_since(self, symbol: str, since_ms: int) -> list[OrderReport]:
        """Return every order made from `since_ms` on that the venue still tells, ended ones too, by the venue's id.

        The ended ones are read last: an order that ends meanwhile is in both lists, and not in none.
        """
        contract = await self._contract(symbol)
        rows = await self._history.open_orders({"instType": "SWAP", "instId": contract.inst_id})
        made = [row for row in rows if wire.integer(row, "cTime", "orders-pending") >= since_ms]
        found = {one.order_id: one for one in wire_orders.reports({"data": made}, self._contracts)}
        ended = await self._history.ended_orders(contract, since_ms, self._calls.venue_now_ms())
        found.update({one.order_id: one for one in ended})
        return sorted(found.values(), key=lambda one: int(one.order_id))

    async def income_since(self, since_ms: int) -> list[Income]:
        """Return every ledger row from `since_ms` on, paged to the end."""
        return await self._history.income(since_ms, self._calls.venue_now_ms())

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        """Set a symbol's leverage in its margin mode; setting the present one is no error."""
        contract = await self._contract(symbol)
        body = {"lever": leverage, "mgnMode": self._margin_mode(symbol), "instId": contract.inst_id}
        told = told_back(await self._calls.write("account/set-leverage", body), "lever", "set-leverage")
        if told != leverage:
            raise OutcomeUnknown(f"leverage: asked for {leverage}, the venue answers {told}")
        self._leverages[symbol] = leverage

    async def set_margin_type(self, symbol: str, margin_type: str) -> None:
        """Have orders of the symbol ask for `ISOLATED` or `CROSSED`; the venue keeps no such setting."""
        self._margin_modes[symbol] = "isolated" if margin_type.upper() == "ISOLATED" else "cross"

    async def set_countdown(self, symbol: str, countdown_ms: int) -> None:
        """Start or renew the countdown, which here cancels every order of the account; 0 lets go of it."""
        seconds = self._countdowns.seconds(symbol, countdown_ms)
        if seconds is None:
            return
        reply = await self._calls.write("trade/cancel-all-after", {"timeOut": seconds})
        is_set = told_back(reply, "triggerTime", "cancel-all-after") > 0
        if is_set != (seconds > 0):
            raise OutcomeUnknown(f"countdown: asked for {seconds} s, the venue answers otherwise")

    def private_events(self) -> AsyncGenerator[PrivateEvent, None]:
        """Yield the private stream for ever. Nothing is dropped: a consumer that lags holds the venue back."""
        buffer: WholeBuffer[PrivateEvent] = WholeBuffer(self._settings.private_buffer)
        taking = PrivateTaking(lambda: self._contracts, self._reload, buffer.put)
        stream = self._subscription(
            self._calls.endpoints.private,
            OkxStreams(),
            PRIVATE_STREAMS,
            take=taking.take,
            announce=buffer.put,
            log_in=self._calls.log_in,
        )
        return self._private_stream(stream, buffer)

    async def _placed(self, answer: Awaitable[wire.Row], request: OrderRequest) -> OrderReport:
        """Return the order as it was taken. The venue's answer has two ids; what became of an immediate one is read."""
        report = acknowledged(await answer, request)
        if request.time_in_force is not TimeInForce.IOC:
            return report
        await self._pay(ORDER_READ)
        try:
            return await self.order(request.symbol, request.client_id, report.order_id)
        except VenueError:
            return report

    async def _batch(self, chunk: Sequence[OrderRequest]) -> list[Answer]:
        """Send one REST batch; a failure of the whole is the answer to each of its orders."""
        rows = []
        for request in chunk:
            rows.append(
                requests.place(request, await self._contract(request.symbol), self._margin_mode(request.symbol))
            )
        window_ms = min(request.recv_window_ms for request in chunk)
        sending = self._calls.write("trade/batch-orders", rows, good_for_ms=window_ms)
        try:
            items = await self._calls.done(sending, len(chunk))
        except VenueError as failure:
            return [failure for _ in chunk]
        return await asyncio.gather(
            *(self._placed(item_of(item), request) for item, request in zip(items, chunk, strict=True)),
            return_exceptions=True,
        )

    async def _learn_leverages(self, read: Sequence[Position]) -> None:
        """Tell of a leverage that another hand changed: no event does, so that a reading has to."""
        for position in read:
            before = self._leverages.get(position.symbol, position.leverage)
            self._leverages[position.symbol] = position.leverage
            if before != position.leverage:
                words = f"leverage of {position.symbol} is {position.leverage}"
                change = ConfigurationChanged(what=words, symbol=position.symbol, leverage=position.leverage)
                await self._tell_settings([change])

    async def _contract(self, symbol: str) -> Contract:
        if symbol not in self._contracts.by_symbol:
            await self.rules()
        return self._contracts.of_symbol(symbol)

    def _margin_mode(self, symbol: str) -> str:
        return self._margin_modes.get(symbol, "cross")
