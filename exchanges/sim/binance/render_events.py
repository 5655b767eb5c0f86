"""Events of the private stream as JSON."""

from __future__ import annotations

from typing import Any

from exchanges.sim.binance.render_orders import algo_event_body
from exchanges.sim.instrument import SimInstrument
from exchanges.sim.orders import Execution
from exchanges.sim.server.text import average_text, money, plain, price_text, quantity_text
from exchanges.sim.venue_events import (
    AccountEvent,
    AlgoEvent,
    AlgoRejectEvent,
    LeverageEvent,
    MarginCallEvent,
    OrderEvent,
)
from exchanges.sim.views import MarginType, PositionView

Json = dict[str, Any]


def _margin_word(position: PositionView) -> str:
    return "isolated" if position.margin_type is MarginType.ISOLATED else "cross"


def order_trade_update(instrument: SimInstrument, event: OrderEvent, *, sent_ms: int) -> Json:
    order, fill = event.order, event.fill
    body: Json = {
        "s": order.symbol,
        "c": order.client_id,
        "S": order.side.value,
        "o": order.type.value,
        "f": order.time_in_force.value,
        "q": quantity_text(instrument, order.quantity),
        "p": price_text(instrument, order.price),
        "ap": average_text(instrument, order.average_price) if order.filled else "0",
        "sp": plain(order.stop_price),
        "x": event.execution.value,
        "X": order.status.value,
        "i": order.order_id,
        "l": quantity_text(instrument, fill.quantity) if fill else "0",
        "z": quantity_text(instrument, order.filled) if order.filled else "0",
        "L": price_text(instrument, fill.price) if fill else "0",
        "n": plain(fill.commission) if fill else "0",
        "N": fill.commission_asset if fill else instrument.quote,
        "T": event.time_ms,
        "t": fill.trade_id if fill else 0,
        "b": plain(order.bids_notional),
        "a": plain(order.asks_notional),
        "m": fill.is_maker if fill else False,
        "R": order.reduce_only,
        "wt": order.working_type.value,
        "ot": order.original_type.value,
        "ps": "BOTH",
        "cp": order.close_position,
        "rp": plain(fill.realised) if fill else "0",
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": order.self_trade_rule.value,
        "pm": "NONE",
        "gtd": order.good_till_ms,
        "er": order.expiry_reason,
    }
    return {"e": "ORDER_TRADE_UPDATE", "T": event.time_ms, "E": sent_ms, "o": body}


def trade_lite(instrument: SimInstrument, event: OrderEvent, *, sent_ms: int) -> Json | None:
    """Return the short form of a fill; None where the event is no trade."""
    order, fill = event.order, event.fill
    if fill is None or event.execution is not Execution.TRADE:
        return None
    return {
        "e": "TRADE_LITE",
        "E": sent_ms,
        "T": event.time_ms,
        "s": order.symbol,
        "q": quantity_text(instrument, order.quantity),
        "p": price_text(instrument, order.price),
        "m": fill.is_maker,
        "c": order.client_id,
        "S": order.side.value,
        "L": price_text(instrument, fill.price),
        "l": quantity_text(instrument, fill.quantity),
        "t": fill.trade_id,
        "i": order.order_id,
    }


def account_update(instruments: dict[str, SimInstrument], event: AccountEvent, *, sent_ms: int) -> Json:
    return {
        "e": "ACCOUNT_UPDATE",
        "T": event.time_ms,
        "E": sent_ms,
        "a": {
            "B": [
                {
                    "a": change.asset,
                    "wb": money(change.wallet),
                    "cw": money(change.cross_wallet),
                    "bc": plain(change.change),
                }
                for change in event.balances
            ],
            "P": [
                {
                    "s": held.symbol,
                    "pa": quantity_text(instruments[held.symbol], held.quantity) if held.quantity else "0",
                    "ep": plain(held.entry_price),
                    "cr": money(held.realised),
                    "up": money(held.unrealised),
                    "mt": _margin_word(held),
                    "iw": plain(held.isolated_wallet),
                    "ps": "BOTH",
                    "ma": instruments[held.symbol].quote,
                    "bep": plain(held.break_even_price),
                }
                for held in event.positions
            ],
            "m": event.reason.value,
        },
    }


def account_config_update(event: LeverageEvent, *, sent_ms: int) -> Json:
    return {
        "e": "ACCOUNT_CONFIG_UPDATE",
        "E": sent_ms,
        "T": event.time_ms,
        "ac": {"s": event.symbol, "l": event.leverage},
    }


def margin_call(instruments: dict[str, SimInstrument], event: MarginCallEvent, *, sent_ms: int) -> Json:
    return {
        "e": "MARGIN_CALL",
        "E": sent_ms,
        "cw": money(event.cross_wallet),
        "p": [
            {
                "s": held.symbol,
                "ps": "BOTH",
                "pa": quantity_text(instruments[held.symbol], held.quantity),
                "mt": _margin_word(held).upper() if held.margin_type is MarginType.ISOLATED else "CROSSED",
                "iw": plain(held.isolated_wallet),
                "mp": money(held.mark_price),
                "up": money(held.unrealised),
                "mm": money(held.maintenance_margin),
            }
            for held in event.positions
        ],
    }


def algo_update(instrument: SimInstrument, event: AlgoEvent, *, sent_ms: int) -> Json:
    return {"e": "ALGO_UPDATE", "T": event.time_ms, "E": sent_ms, "o": algo_event_body(instrument, event.algo)}


def trigger_reject(event: AlgoRejectEvent, *, sent_ms: int) -> Json:
    return {
        "e": "CONDITIONAL_ORDER_TRIGGER_REJECT",
        "E": sent_ms,
        "T": event.time_ms,
        "or": {"s": event.symbol, "i": event.algo_id, "r": event.reason},
    }


def listen_key_expired(key: str, *, sent_ms: int) -> Json:
    return {"e": "listenKeyExpired", "E": sent_ms, "listenKey": key}
