"""The private half of any exchange, by ccxt: order entry and reads over REST, its streams by ccxt's sockets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

from exchanges import wire
from exchanges.errors import NotSupported, OutcomeUnknown, Refusal, VenueError, VenueRefused
from exchanges.generic import wire_account, wire_orders
from exchanges.generic.calls import Calls
from exchanges.generic.contracts import Contract, Contracts, contracts
from exchanges.generic.costs import COSTS, ONE, windows
from exchanges.generic.facts import MEASURED, facts_of
from exchanges.generic.history import History
from exchanges.generic.holdings import Holdings
from exchanges.generic.order_lists import OrderLists
from exchanges.generic.ours import OurOrders
from exchanges.generic.private_stream import PrivateTaking, watches
from exchanges.generic.proof import Proof
from exchanges.generic.streaming import CcxtStreams
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
from exchanges.session.answers import Answer
from exchanges.session.buffers import WholeBuffer
from exchanges.session.settings import AdapterSettings, required
from exchanges.session.trading_half import TradingHalf
from grid.instrument import Instrument
from grid.order import Fill, OrderReport, OrderRequest, OrderStatus, TimeInForce
from grid.stop import StopReport
from risk.veto import Approved, ApprovedStop

CANCEL_LOOKS = 3
CANCEL_LOOK_S = 0.05
"""A cancel is acknowledged before it is done: so often, and so long apart, the order is asked for."""
MARGIN_MODE = re.compile(r"margin.?mode", re.IGNORECASE)
LOOK_BACK_MS = 3 * 24 * 3600 * 1000
"""How far back the lists are looked through for an order of which only our id is known."""


class CcxtTrading(TradingHalf[Calls]):
    """The `TradingVenue` of an exchange that has no adapter of its own.

    ccxt stamps what it writes before `fence` is asked, but not every venue bounds how late such a request may arrive.
    """

    def __init__(self, name: str, settings: AdapterSettings) -> None:
        required(settings.credentials)
        super().__init__(settings, Calls(name, settings), COSTS, clock_cost=ONE)
        self._name = name
        self._facts = facts_of(name)
        self._contracts = Contracts()
        self._history = History(self._calls, lambda: self._contracts, self._pay)
        self._lists = OrderLists(
            self._calls,
            self._history,
            lambda: self._contracts,
            settings.symbols,
            self._pay,
            by_symbol=self._facts.by_symbol,
        )
        self._holdings = Holdings(self._calls, self._facts, settings)
        self._proof = Proof(name, self._facts.client_id_prefix, is_measured=name in MEASURED)
        self._ours = OurOrders(self._facts.client_id_prefix)

    async def rules(self) -> VenueRules:
        """Read the venue's rules anew. A change that stops a symbol is an event of the private stream, told once."""
        read = contracts(await self._calls.markets(), self._calls.exchange.precisionMode)
        if not read:
            raise NotSupported(f"{self._name}: no linear perpetual with its sizes")
        self._contracts = self._contracts.renewed(read)
        await self._tell(self._contracts.changes)
        return VenueRules(
            instruments=self._contracts.instruments,
            rate_windows=windows(self._calls.exchange),
            changes=dict(self._contracts.changes),
            recv_window_ms=self._settings.recv_window_ms,
            id_retention_ms=LOOK_BACK_MS,
        )

    async def instrument(self, symbol: str) -> Instrument:
        """Return a symbol's rules, as last read."""
        return (await self._contract(symbol)).instrument

    async def place(self, order: Approved) -> OrderReport:
        """Send one order, once. An acknowledgement is no end: an immediate order is read afterwards."""
        request = order.request
        self._proof.require()
        contract = await self._contract(request.symbol)
        amount, price = self._numbers(request, contract)
        params = self._params(request)
        if self._calls.feature("createOrder").get("marginMode"):
            params["marginMode"] = await self._holdings.margin_mode(contract)
        try:
            row = await self._calls.write(
                "create_order",
                contract.unified,
                "limit",
                request.side.value.lower(),
                amount,
                price,
                params,
                closing=request.closing,
                post_only=request.time_in_force is TimeInForce.POST_ONLY,
            )
        except VenueRefused as refusal:
            if MARGIN_MODE.search(str(refusal)):
                self._holdings.forget_margin_mode(request.symbol)
            raise
        order_id = row.get("id") if isinstance(row, dict) else None
        if not order_id:
            raise OutcomeUnknown("place: the answer names no order")
        self._ours.placed(request.client_id, str(order_id))
        acknowledged = _acknowledged(request, str(order_id), self._calls.venue_now_ms())
        with suppress(VenueError):
            await self._proof.look(acknowledged, contract, self._lists)
        if request.time_in_force is TimeInForce.IOC:
            return await self._after("the order was taken", request.symbol, request.client_id, str(order_id))
        return acknowledged

    async def place_batch(self, orders: Sequence[Approved]) -> list[Answer]:
        """Send several side by side: ccxt's own list of orders tells one error for all of them."""
        return await asyncio.gather(*(self.place(order) for order in orders), return_exceptions=True)

    async def cancel(self, symbol: str, client_id: str) -> OrderReport:
        """Cancel by the venue's id, looked up where it is not known, and return what became of the order."""
        contract = await self._contract(symbol)
        order_id = self._ours.order_id(client_id) or (await self.order(symbol, client_id)).order_id
        self._ours.cancelling(client_id)
        await self._calls.write("cancel_order", order_id, contract.unified)
        report = await self._after("the cancel was taken", symbol, client_id, order_id)
        for _ in range(CANCEL_LOOKS - 1):
            if report.status.is_terminal:
                break
            await asyncio.sleep(CANCEL_LOOK_S)
            report = await self._after("the cancel was taken", symbol, client_id, order_id)
        return report

    async def order(self, symbol: str, client_id: str, order_id: str = "") -> OrderReport:
        """Return the order by either id: from the venue's own look-up, or from its lists where it has none."""
        contract = await self._contract(symbol)
        known = order_id or self._ours.order_id(client_id)
        fetches = self._calls.has("fetchOrder")
        if fetches and known:
            params = dict(self._facts.reading_needs)
            return self._report(await self._calls.read("fetch_order", known, contract.unified, params))
        if fetches and self._facts.lookup:
            params = {self._facts.lookup: f"{self._facts.client_id_prefix}{client_id}", **self._facts.reading_needs}
            return self._report(await self._calls.read("fetch_order", None, contract.unified, params))
        for row in await self._lists.every(contract, self._calls.venue_now_ms() - LOOK_BACK_MS):
            told = self._report(row)
            if told.order_id == known or (not known and told.client_id == client_id):
                return told
        raise VenueRefused("", f"no order {client_id} in the lists", Refusal.UNKNOWN_ORDER)

    async def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """Return the open orders of the account or of one symbol; conditional ones are no part of it."""
        await self._known()
        return [self._report(row) for row in await self._lists.opened(symbol)]

    async def place_stop(self, stop: ApprovedStop) -> StopReport:
        """Raise `NotSupported`: the stop rests with this program here."""
        raise NotSupported(f"{self._name}: no stop is placed at this venue")

    async def cancel_stop(self, symbol: str, client_id: str) -> None:
        """Raise `NotSupported`."""
        raise NotSupported(f"{self._name}: no stop is placed at this venue")

    async def stop(self, symbol: str, client_id: str) -> StopReport:
        """Raise `NotSupported`."""
        raise NotSupported(f"{self._name}: no stop is placed at this venue")

    async def open_stops(self) -> list[StopReport]:
        """Return the waiting conditional orders that ccxt can list here, anybody's."""
        await self._known()
        prefix = self._facts.client_id_prefix
        return [wire_orders.stop(row, self._contracts, prefix) for row in await self._lists.waiting()]

    async def account(self) -> Account:
        """Return balances and modes."""
        return await self._holdings.account(await self.positions(), self._contracts)

    async def positions(self) -> list[Position]:
        """Return every position that is not flat, and those of the configured symbols."""
        wanted = [await self._contract(symbol) for symbol in self._settings.symbols]
        return await self._holdings.positions(wanted, self._contracts)

    async def fee_rates(self, symbol: str) -> FeeRates:
        """Return what the account pays on a symbol; where ccxt cannot read it, what the list of markets says."""
        return await self._holdings.fee_rates(await self._contract(symbol))

    async def conduct(self) -> list[ConductIndicator]:
        """Return nothing: ccxt reads no such measures."""
        return []

    async def maintenance_tiers(self, symbol: str) -> list[MaintenanceTier]:
        """Return a symbol's maintenance brackets, smallest notional first."""
        return await self._holdings.tiers(await self._contract(symbol))

    async def fills_since(self, symbol: str, since_ms: int, order_id: str | None = None) -> list[Fill]:
        """Return every fill from `since_ms` on (of one order, where named), paged to the end."""
        return await self._history.fills(await self._contract(symbol), since_ms, order_id)

    async def orders_since(self, symbol: str, since_ms: int) -> list[OrderReport]:
        """Return every order made from `since_ms` on that the venue still tells, ended ones too."""
        contract = await self._contract(symbol)
        found = [self._report(row) for row in await self._lists.every(contract, since_ms)]
        return sorted(found, key=lambda one: (len(one.order_id), one.order_id))

    async def income_since(self, since_ms: int) -> list[Income]:
        """Return fees and funding of the configured symbols from `since_ms` on; ccxt's ledgers name no more alike."""
        found: list[Income] = []
        for symbol in self._settings.symbols:
            contract = await self._contract(symbol)
            found += [wire_account.commission(fill) for fill in await self._history.fills(contract, since_ms)]
            await self._pay(ONE)
            found += await self._history.funding(contract, since_ms, self._settings.quote_asset)
        return sorted(found, key=lambda row: row.venue_ms)

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        """Set a symbol's leverage; setting the present one is no error."""
        await self._holdings.set_leverage(await self._contract(symbol), leverage)

    async def set_margin_type(self, symbol: str, margin_type: str) -> None:
        """Set `ISOLATED` or `CROSSED`; setting the present one is no error."""
        await self._holdings.set_margin_type(await self._contract(symbol), margin_type)

    async def set_countdown(self, symbol: str, countdown_ms: int) -> None:
        """Raise `NotSupported`: where ccxt has such a switch, it is the whole account's."""
        raise NotSupported(f"{self._name}: no countdown for a symbol")

    def private_events(self) -> AsyncGenerator[PrivateEvent, None]:
        """Yield the private stream for ever. What ccxt conflated is told by its last state; fills come one by one."""
        settings = self._settings
        buffer: WholeBuffer[PrivateEvent] = WholeBuffer(settings.private_buffer)
        streams_fills = self._facts.streams_fees and self._calls.has("watchMyTrades")
        taking = PrivateTaking(
            buffer=buffer,
            contracts=lambda: self._contracts,
            reload_rules=self._reload,
            read_order=lambda fill: self.order(fill.symbol, "", fill.order_id),
            read_fills=None if streams_fills else self._paid_fills,
            read_positions=self._paid_positions,
            ours=self._ours,
            monotonic_ns=settings.monotonic_ns,
        )
        handler = CcxtStreams(
            self._calls,
            settings,
            watches(with_fills=streams_fills),
            ages=self._ages,
            take=taking.take,
            announce=buffer.put,
            prepare=self._known,
        )
        return self._swept_stream(handler, buffer, taking.sweep)

    def _numbers(self, request: OrderRequest, contract: Contract) -> tuple[Decimal, Decimal]:
        """Return amount and price as ccxt will write them; raises `VenueRefused` where it would write others.

        ccxt asks for floats. It compares amounts and makes text of them, and exact numbers do for both.
        """
        amount, price = contract.contracts(request.quantity), contract.instrument.price(request.price)
        made = self._calls.exchange
        try:
            written = (
                made.amount_to_precision(contract.unified, amount),
                made.price_to_precision(contract.unified, price),
            )
        except made.base_error as error:
            raise VenueRefused(type(error).__name__, "ccxt refuses the amount or the price", Refusal.FILTER) from None
        if (Decimal(written[0]), Decimal(written[1])) != (amount, price):
            raise VenueRefused("", f"ccxt would send {written[0]} at {written[1]}", Refusal.FILTER)
        return amount, price

    def _params(self, request: OrderRequest) -> dict[str, Any]:
        params: dict[str, Any] = {"clientOrderId": request.client_id, **self._facts.order_needs}
        match request.time_in_force:
            case TimeInForce.POST_ONLY:
                params["postOnly"] = True
            case TimeInForce.IOC:
                params["timeInForce"] = "IOC"
            case TimeInForce.GTC:
                pass
        if request.closing:
            params["reduceOnly"] = True
        return params

    async def _after(self, what: str, symbol: str, client_id: str, order_id: str) -> OrderReport:
        try:
            return await self.order(symbol, client_id, order_id)
        except VenueError as failure:
            raise OutcomeUnknown(f"{what}, and it could not be read: {failure}") from None

    def _report(self, row: Any) -> OrderReport:
        return self._ours.report(wire.mapping(row, "order"), self._contracts)

    async def _contract(self, symbol: str) -> Contract:
        await self._known()
        return self._contracts.of_symbol(symbol)

    async def _known(self) -> None:
        if not self._contracts.by_symbol:
            await self.rules()

    async def _paid_positions(self) -> list[Position]:
        await self._pay(COSTS.positions)
        return await self.positions()

    async def _paid_fills(self, symbol: str, since_ms: int) -> list[Fill]:
        await self._pay(COSTS.fills)
        return await self.fills_since(symbol, since_ms)


def _acknowledged(request: OrderRequest, order_id: str, venue_ms: int) -> OrderReport:
    return OrderReport(
        symbol=request.symbol,
        order_id=order_id,
        client_id=request.client_id,
        side=request.side,
        status=OrderStatus.NEW,
        price=request.price,
        quantity=request.quantity,
        filled=0,
        closing=request.closing,
        venue_ms=venue_ms,
    )
