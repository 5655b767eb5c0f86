"""Contracts, tickers and candles as JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from exchanges.sim.gate import render
from exchanges.sim.gate.contracts import SimContract
from exchanges.sim.server.text import plain
from exchanges.sim.views import Kline

if TYPE_CHECKING:
    from exchanges.sim.gate.venue import GateVenue

Json = dict[str, Any]
FUNDING_EVERY_S = 28_800


def contract_row(venue: GateVenue, contract: SimContract) -> Json:
    instrument = contract.instrument
    premium = venue.engine.read.premium_index(instrument.symbol)
    mark = plain(premium.mark_price)
    smallest = contract.size(instrument.quantity_min)
    return {
        "name": contract.name,
        "type": "direct",
        "quanto_multiplier": plain(contract.multiplier),
        "order_price_round": plain(instrument.tick),
        "mark_price_round": plain(instrument.tick),
        "order_size_min": plain(smallest) if contract.in_parts else int(smallest),
        "order_size_max": int(contract.size(instrument.quantity_max)),
        "enable_decimal": contract.in_parts,
        "order_price_deviate": plain(instrument.percent_up - 1),
        "orders_limit": min(instrument.orders_max, venue.engine.config.orders_max),
        "leverage_min": "1",
        "leverage_max": str(instrument.brackets[0].leverage_max),
        "maintenance_rate": plain(instrument.brackets[0].rate),
        "mark_type": "index",
        "mark_price": mark,
        "index_price": plain(premium.index_price),
        "last_price": plain(instrument.price(venue.engine.read.last_price(instrument.symbol))),
        "maker_fee_rate": plain(instrument.maker_fee),
        "taker_fee_rate": plain(instrument.taker_fee),
        "funding_rate": plain(premium.funding_rate),
        "funding_interval": FUNDING_EVERY_S,
        "funding_next_apply": premium.next_funding_ms // 1000,
        "risk_limit_base": plain(instrument.brackets[0].notional_cap),
        "risk_limit_step": plain(instrument.brackets[0].notional_cap),
        "risk_limit_max": plain(instrument.brackets[-1].notional_cap),
        "ref_discount_rate": "0",
        "ref_rebate_rate": "0.2",
        "orderbook_id": 1,
        "trade_id": 1,
        "trade_size": 0,
        "position_size": 0,
        "config_change_time": 1_600_000_000,
        "create_time": 1_600_000_000,
        "in_delisting": not instrument.trading,
        "status": "trading" if instrument.trading else "delisting",
        "enable_bonus": True,
        "enable_credit": True,
    }


def ticker(venue: GateVenue, contract: SimContract, *, with_quotes: bool = False) -> Json:
    instrument = contract.instrument
    read = venue.engine.read
    premium, book = read.premium_index(instrument.symbol), read.book(instrument.symbol)
    body: Json = {
        "contract": contract.name,
        "last": plain(instrument.price(read.last_price(instrument.symbol))),
        "change_percentage": "0",
        "funding_rate": plain(premium.funding_rate),
        "funding_rate_indicative": plain(premium.funding_rate),
        "mark_price": plain(premium.mark_price),
        "index_price": plain(premium.index_price),
        "total_size": "0",
        "volume_24h": "0",
        "low_24h": "0",
        "high_24h": "0",
    }
    if with_quotes:
        body["highest_bid"] = plain(instrument.price(book.bid))
        body["highest_size"] = plain(contract.size(book.bid_quantity))
        body["lowest_ask"] = plain(instrument.price(book.ask))
        body["lowest_size"] = plain(contract.size(book.ask_quantity))
    return body


def candle(contract: SimContract, row: Kline, *, as_text: bool) -> Json:
    instrument = contract.instrument
    return {
        "t": row.open_ms // 1000,
        "v": render.size(contract, row.volume, as_text=as_text),
        "o": plain(instrument.price(row.open)),
        "h": plain(instrument.price(row.high)),
        "l": plain(instrument.price(row.low)),
        "c": plain(instrument.price(row.close)),
        "sum": plain(Decimal(row.quote_volume)),
    }


def candle_event(contract: SimContract, row: Kline, interval: str, *, is_closed: bool) -> Json:
    told = candle(contract, row, as_text=False)
    told["v"] = render.streamed_size(contract, row.volume)
    return {**told, "n": f"{interval}_{contract.name}", "a": told["sum"], **({"w": True} if is_closed else {})}
