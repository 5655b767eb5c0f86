"""Control of a running venue under /sim: faults, other hands, the market, sockets, and the truth.

Every request carries the control token in X-Sim-Token and comes from this machine.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from aiohttp import web
from pydantic import ValidationError

from exchanges.sim.algo_orders import NewAlgoOrder
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.market import BookTop, Funding, Mark, MarketEvent, Trade
from exchanges.sim.orders import NewOrder, OrderType, WorkingType
from exchanges.sim.refusal import Reason, Refused
from exchanges.sim.server import control_forms as forms
from exchanges.sim.server.fault_config import parse_rules
from exchanges.sim.server.truth import fault_state, venue_state
from exchanges.sim.venue_events import VenueEvent

if TYPE_CHECKING:
    from exchanges.sim.server.server import SimVenue

TOKEN_HEADER = "X-Sim-Token"
F = TypeVar("F", bound=forms.Form)
Answer = Callable[[web.Request], Awaitable[Any]]


class Control:
    """The control endpoints of one venue."""

    def __init__(self, server: SimVenue) -> None:
        self._server = server
        self._venue = server.venue

    def add_to(self, router: web.UrlDispatcher) -> None:
        posts: dict[str, Answer] = {
            "faults": self._add_faults,
            "orders": self._manual_order,
            "cancel": self._cancel_by_hand,
            "stops": self._manual_stop,
            "stops/cancel": self._cancel_stop_by_hand,
            "position": self._move_position,
            "market": self._inject,
            "tape": self._drive_tape,
            "sockets": self._spoil_sockets,
            "listen_key/expire": self._expire_listen_key,
            "liquidate": self._liquidate,
            "deleverage": self._deleverage,
            "delist": self._delist,
            "instrument": self._change_instrument,
            "settings": self._change_settings,
            "transfer": self._transfer,
            "limits": self._limits,
        }
        for name, answer in posts.items():
            router.add_post(f"/sim/{name}", self._guarded(answer))
        router.add_get("/sim/state", self._guarded(self._state))
        router.add_get("/sim/faults", self._guarded(self._show_faults))
        router.add_delete("/sim/faults", self._guarded(self._clear_faults))
        router.add_delete("/sim/faults/{name}", self._guarded(self._remove_fault))

    def _guarded(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            token = request.headers.get(TOKEN_HEADER, "")
            if not _is_loopback(request.remote) or not hmac.compare_digest(
                token.encode(), self._venue.control_token.encode()
            ):
                return _json({"error": "control needs the token in X-Sim-Token, from this machine"}, 403)
            try:
                return _json(await answer(request))
            except ValidationError as error:
                return _json({"error": error.errors(include_url=False, include_context=False)}, 422)
            except orjson.JSONDecodeError as error:
                return _json({"error": str(error)}, 400)
            except Refused as refusal:
                return _json({"error": refusal.message, "code": refusal.code}, 409)

        return handle

    async def _state(self, request: web.Request) -> Any:
        return {
            **venue_state(self._venue),
            "sockets": len(self._server.connections()),
            "tape": self._server.tape.status(),
        }

    async def _show_faults(self, request: web.Request) -> Any:
        return fault_state(self._venue)

    async def _add_faults(self, request: web.Request) -> Any:
        document = orjson.loads(await request.read())
        rules = parse_rules(
            document if isinstance(document, list) else [document], first_position=len(self._venue.plan.standing())
        )
        for rule in rules:
            self._venue.plan.add(rule, self._venue.now_ms())
        return {"names": [rule.name for rule in rules]}

    async def _clear_faults(self, request: web.Request) -> Any:
        self._venue.plan.clear()
        return {}

    async def _remove_fault(self, request: web.Request) -> Any:
        return {"removed": self._venue.plan.remove(request.match_info["name"])}

    async def _manual_order(self, request: web.Request) -> Any:
        form = await _read(request, forms.ManualOrder)
        order = NewOrder(
            symbol=form.symbol,
            side=form.side,
            type=form.type,
            quantity=form.quantity,
            price=form.price,
            time_in_force=form.time_in_force,
            reduce_only=form.reduce_only,
        )
        placed = self._venue.engine.foreign.place(form.account, order, self._venue.now_ms())
        self._venue.tell(placed.events)
        return {"orderId": self._venue.told_order_id(placed.order), "clientOrderId": placed.order.client_id}

    async def _cancel_by_hand(self, request: web.Request) -> Any:
        form = await _read(request, forms.ManualCancel)
        now_ms = self._venue.now_ms()
        placed = self._venue.engine.cancel(form.account, form.symbol, now_ms, client_id=form.client_id)
        return self._told(placed.events)

    async def _manual_stop(self, request: web.Request) -> Any:
        form = await _read(request, forms.ManualStop)
        order = NewAlgoOrder(
            symbol=form.symbol,
            side=form.side,
            type=OrderType.STOP_MARKET,
            quantity=form.quantity,
            trigger_price=form.trigger,
            client_id=form.client_id,
            working_type=WorkingType.MARK_PRICE,
        )
        _, events = self._venue.engine.submit_algo(form.account, order, self._venue.now_ms())
        return self._told(events)

    async def _cancel_stop_by_hand(self, request: web.Request) -> Any:
        form = await _read(request, forms.ManualCancel)
        _, events = self._venue.engine.cancel_algo(form.account, self._venue.now_ms(), client_id=form.client_id)
        return self._told(events)

    async def _move_position(self, request: web.Request) -> Any:
        form = await _read(request, forms.MovePosition)
        instrument = self._venue.instrument(form.symbol)
        return self._told(
            self._venue.engine.foreign.move_position(
                form.account,
                form.symbol,
                instrument.steps(form.quantity),
                self._venue.now_ms(),
                instrument.ticks(form.price) if form.price is not None else 0,
            )
        )

    async def _inject(self, request: web.Request) -> Any:
        form = await _read(request, forms.Injection)
        for event in form.events:
            self._server.tape.play(_market_event(event, self._venue.instrument(event.symbol), self._venue.now_ms()))
        return {"events": len(form.events)}

    async def _drive_tape(self, request: web.Request) -> Any:
        form, tape = await _read(request, forms.TapeVerb), self._server.tape
        match form.action:
            case "pause":
                tape.pause()
            case "resume":
                tape.resume()
            case "seek":
                tape.seek(form.ahead_ms)
            case "jump":
                tape.jump(form.symbol, form.percent)
        return tape.status()

    async def _spoil_sockets(self, request: web.Request) -> Any:
        form = await _read(request, forms.SocketVerb)
        spoiled = self._server.connections(form.path)
        for connection in spoiled:
            if form.action == "cut":
                connection.cut()
            else:
                connection.go_half_open()
        return {"sockets": len(spoiled)}

    async def _expire_listen_key(self, request: web.Request) -> Any:
        form = await _read(request, forms.AccountForm)
        self._venue.expire_session(form.account)
        return {}

    async def _liquidate(self, request: web.Request) -> Any:
        form = await _read(request, forms.OfSymbol)
        return self._told(self._venue.engine.foreign.liquidate(form.account, form.symbol, self._venue.now_ms()))

    async def _deleverage(self, request: web.Request) -> Any:
        form = await _read(request, forms.Deleverage)
        steps = self._venue.instrument(form.symbol).steps(form.quantity)
        foreign = self._venue.engine.foreign
        return self._told(foreign.auto_deleverage(form.account, form.symbol, steps, self._venue.now_ms()))

    async def _delist(self, request: web.Request) -> Any:
        form = await _read(request, forms.OfSymbol)
        return self._told(self._venue.engine.foreign.delist(form.symbol, self._venue.now_ms()))

    async def _change_instrument(self, request: web.Request) -> Any:
        form = await _read(request, forms.ChangeFilters)
        try:
            changed = _changed_instrument(self._venue.instrument(form.symbol), form)
            events = self._venue.engine.foreign.change_instrument(changed, self._venue.now_ms())
        except (ValueError, ArithmeticError) as error:
            raise Refused(Reason.PARAMETER_INVALID, f"filters ({error})") from None
        return self._told(events)

    async def _change_settings(self, request: web.Request) -> Any:
        form = await _read(request, forms.ChangeSettings)
        engine, now_ms = self._venue.engine, self._venue.now_ms()
        events: list[VenueEvent] = []
        if form.leverage is not None:
            events += engine.set_leverage(form.account, form.symbol, form.leverage, now_ms)[1]
        if form.hedge_mode is not None:
            events += engine.set_hedge_mode(form.account, form.hedge_mode, now_ms)
        return self._told(events)

    async def _transfer(self, request: web.Request) -> Any:
        form = await _read(request, forms.Transfer)
        return self._told(self._venue.engine.transfer(form.account, form.amount, self._venue.now_ms(), form.asset))

    async def _limits(self, request: web.Request) -> Any:
        form = await _read(request, forms.LimitVerb)
        if form.action == "ban":
            self._venue.ban(form.address, self._venue.now_ms() + form.length_ms)
        else:
            self._venue.lift(form.address)
        return {}

    def _told(self, events: Iterable[VenueEvent]) -> dict[str, Any]:
        events = list(events)
        self._venue.tell(events)
        return {"events": len(events)}


def _is_loopback(address: str | None) -> bool:
    return address is not None and ipaddress.ip_address(address).is_loopback


async def _read(request: web.Request, form: type[F]) -> F:
    return form.model_validate_json(await request.read() or b"{}")


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value, default=str), content_type="application/json")


def _market_event(form: Any, instrument: SimInstrument, now_ms: int) -> MarketEvent:
    match form:
        case forms.InjectTrade():
            return Trade(
                symbol=form.symbol,
                time_ms=now_ms,
                price=instrument.ticks(form.price),
                quantity=instrument.steps(form.quantity),
                aggressor=form.aggressor,
            )
        case forms.InjectBook():
            return BookTop(
                symbol=form.symbol,
                time_ms=now_ms,
                bid=instrument.ticks(form.bid),
                bid_quantity=instrument.steps(form.bid_quantity),
                ask=instrument.ticks(form.ask),
                ask_quantity=instrument.steps(form.ask_quantity),
            )
        case forms.InjectMark():
            return Mark(symbol=form.symbol, time_ms=now_ms, price=form.price)
        case forms.InjectFunding():
            return Funding(symbol=form.symbol, time_ms=now_ms, rate=form.rate)
    raise AssertionError(f"no such injection: {form!r}")


def _changed_instrument(instrument: SimInstrument, form: forms.ChangeFilters) -> SimInstrument:
    filters = [{**entry, **form.filters.get(entry["filterType"], {})} for entry in instrument.raw["filters"]]
    raw = {**instrument.raw, "filters": filters, "status": form.status or instrument.status}
    return SimInstrument.from_exchange_info(
        raw, brackets=instrument.brackets, maker_fee=instrument.maker_fee, taker_fee=instrument.taker_fee
    )
