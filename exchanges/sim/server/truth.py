"""The venue's truth for checks: every order ever, every fill, wallets, and what was counted on the way.

It is told in the words of Binance's documents, whichever language the doors speak; ids are those that clients are told.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from exchanges.sim.binance import render_account, render_orders
from exchanges.sim.orders import OrderStatus, OrderView
from exchanges.sim.server.core import VenueCore
from exchanges.sim.server.text import money, plain, quantity_text

STRUCK_SHOWN = 200


def venue_state(venue: VenueCore) -> dict[str, Any]:
    return {
        "time": venue.now_ms(),
        "serverTime": venue.server_ms(),
        "accounts": {account: _account(venue, account) for account in venue.engine.read.accounts()},
        "books": {symbol: _book(venue, symbol) for symbol in venue.instruments()},
        "refusals": dict(sorted(venue.refusals.items())),
        "privateEvents": dict(venue.private_sent),
        "framesSent": venue.frames_sent,
        "faults": fault_state(venue),
    }


def _book(venue: VenueCore, symbol: str) -> dict[str, str]:
    """Return the best prices that the venue shows, our own orders among them; empty for a side without size."""
    book, held = venue.engine.read.book(symbol), venue.instrument(symbol)
    return {
        "bid": plain(held.price(book.bid)) if book.bid_quantity else "",
        "ask": plain(held.price(book.ask)) if book.ask_quantity else "",
    }


def fault_state(venue: VenueCore) -> dict[str, Any]:
    return {
        "rules": [
            {"name": rule.name, "kind": rule.kind.value, "matches": matches, "strikes": strikes}
            for rule, matches, strikes in venue.plan.standing()
        ],
        "struck": [
            {
                "time": at_ms,
                "rule": strike.rule,
                "kind": strike.kind.value,
                "delayMs": strike.delay_ms,
                "on": subject.stream or (subject.endpoints[0] if subject.endpoints else subject.path),
                "symbol": subject.symbol,
                "clientOrderId": subject.client_id,
            }
            for at_ms, strike, subject in list(venue.plan.struck)[-STRUCK_SHOWN:]
        ],
    }


def _account(venue: VenueCore, account: str) -> dict[str, Any]:
    orders = venue.engine.read.every_order(account)
    view = venue.engine.read.account(account)
    return {
        "wallet": {asset.asset: money(asset.wallet) for asset in view.assets},
        "unrealised": money(view.assets[0].unrealised),
        "available": money(view.assets[0].available),
        "positions": {
            held.symbol: {
                "quantity": quantity_text(venue.instrument(held.symbol), held.quantity),
                "entryPrice": plain(held.entry_price),
                "markPrice": plain(held.mark_price),
                "realised": money(held.realised),
            }
            for held in view.positions
            if held.quantity
        },
        "orders": [
            {
                **render_orders.order_row(venue.instrument(order.symbol), order),
                "orderId": venue.told_order_id(order),
            }
            for order in orders
        ],
        "algoOrders": [
            render_orders.algo_row(venue.instrument(algo.symbol), algo) for algo in venue.engine.read.all_algos(account)
        ],
        "fills": _fills(venue, account, orders),
        "income": [render_account.income_row(row) for row in venue.engine.read.income(account, limit=1_000_000)],
        "counts": _counts(orders),
    }


def _fills(venue: VenueCore, account: str, orders: list[OrderView]) -> list[dict[str, Any]]:
    of = {(order.symbol, order.order_id): order for order in orders}
    rows: list[dict[str, Any]] = []
    for fill in venue.engine.read.user_trades(account, limit=1_000_000):
        order = of.get((fill.symbol, fill.order_id))
        rows.append(
            {
                **render_orders.trade_row(venue.instrument(fill.symbol), fill),
                "id": venue.told_trade_id(fill.symbol, fill.trade_id),
                "orderId": venue.told_order_id(order) if order else fill.order_id,
                "clientOrderId": order.client_id if order else "",
            }
        )
    return rows


def _counts(orders: list[OrderView]) -> dict[str, Any]:
    by_status = Counter(order.status for order in orders)
    uses = Counter((order.symbol, order.client_id) for order in orders)
    return {
        "placed": len(orders),
        "open": sum(1 for order in orders if order.status.is_open),
        "filled": by_status[OrderStatus.FILLED],
        "cancelled": by_status[OrderStatus.CANCELED],
        "expired": by_status[OrderStatus.EXPIRED] + by_status[OrderStatus.EXPIRED_IN_MATCH],
        "duplicateClientIds": {client_id: times for (_, client_id), times in uses.items() if times > 1},
    }
