"""Every series by its name. Prometheus shows them as `ray_gridmesh_...`, counters with `_total` behind.

Units come last: `_ms`, `_us`, `_s`, `_bytes`; `_quote` is money in the symbols' quote coin, `_coins` a quantity.
Besides its own, each has the tags `deployment` and `account`; of what all accounts share, the latter is empty.
Tags take few values: symbols, streams and actors of one configuration, and enums.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

MS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 10_000.0)
US = (50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0, 25_000.0, 100_000.0, 1_000_000.0)


class Kind(Enum):
    """How a series behaves."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One series: what it says, and the tags that tell its lines apart."""

    description: str
    tags: tuple[str, ...] = ()
    kind: Kind = Kind.GAUGE
    bounds: tuple[float, ...] = MS
    """Upper bounds of a histogram's buckets."""


_C, _H = Kind.COUNTER, Kind.HISTOGRAM

DECLARED: dict[str, Declared] = {
    # lives
    "gridmesh_heartbeat_s": Declared(description="when the actor last looked at itself, Unix time", tags=("actor",)),
    "gridmesh_actors": Declared(description="actors by how they do", tags=("health",)),
    "gridmesh_actor_restarts": Declared(description="lives of an actor after its first", tags=("actor",), kind=_C),
    "gridmesh_is_running": Declared(
        description="1 while the account trades or could, 0 while it starts or stops", tags=("account",)
    ),
    "gridmesh_trading": Declared(description="1 for where orders go: paper, practice or live", tags=("trading",)),
    # mailboxes
    "gridmesh_inner_queue": Declared(description="calls handed to an actor's loop and not run yet", tags=("actor",)),
    "gridmesh_unacknowledged": Declared(description="messages kept until their receiver has them", tags=("actor",)),
    "gridmesh_resends": Declared(description="messages sent again", tags=("actor", "receiver"), kind=_C),
    # latencies
    "gridmesh_quote_to_entry_ms": Declared(description="quote that moved the window to entry released", kind=_H),
    "gridmesh_fill_to_exit_ms": Declared(description="fill at the desk to exit released", kind=_H),
    "gridmesh_venue_call_ms": Declared(
        description="call to the venue, written to answered", tags=("call", "outcome"), kind=_H
    ),
    "gridmesh_lane_wait_ms": Declared(description="wait for the limiter", tags=("lane",), kind=_H),
    "gridmesh_journal_append_us": Declared(description="commit of a batch of records", kind=_H, bounds=US),
    # limiter
    "gridmesh_lane_waiting": Declared(description="requests that wait for the limiter", tags=("lane",)),
    "gridmesh_limiter_tokens": Declared(description="orders that our own ceiling allows at once"),
    "gridmesh_limiter_used": Declared(description="spent of a window of the venue", tags=("kind", "window")),
    "gridmesh_limiter_limit": Declared(description="size of a window of the venue", tags=("kind", "window")),
    "gridmesh_is_banned": Declared(description="1 while the venue's ban is in force"),
    # journal
    "gridmesh_journal_bytes": Declared(description="size of the journal on disk"),
    "gridmesh_journal_records": Declared(description="number of the last record"),
    "gridmesh_owner_epoch": Declared(description="which life of a gateway writes: rises with each start"),
    # streams and prices
    "gridmesh_stream_age_ms": Declared(description="since a stream last spoke; quiet is not stale", tags=("stream",)),
    "gridmesh_stream_connects": Declared(description="times a stream came up", tags=("stream",), kind=_C),
    "gridmesh_quote_age_ms": Declared(description="age of a symbol's last quote", tags=("symbol",)),
    "gridmesh_price_is_fresh": Declared(description="1 while the price may be traded on", tags=("symbol",)),
    "gridmesh_mark_quote": Declared(description="mark price", tags=("symbol",)),
    "gridmesh_clock_offset_ms": Declared(description="the venue's clock minus ours"),
    # holds
    "gridmesh_holds": Declared(description="1 while a hold is in force", tags=("cause", "symbol")),
    "gridmesh_holds_begun": Declared(description="holds that began", tags=("cause",), kind=_C),
    "gridmesh_risk_go": Declared(description="1 while the risk supervisor says go", tags=("account",)),
    "gridmesh_risk_changes": Declared(description="halts and resumptions", tags=("what", "account"), kind=_C),
    "gridmesh_has_go": Declared(description="1 while the gateway holds a fresh go: the lease of risk"),
    "gridmesh_account_lease": Declared(
        description="1 for the phase in which the lease on the account is", tags=("phase",)
    ),
    "gridmesh_account_lease_left_ms": Declared(description="until nothing more is sent unless the lease is renewed"),
    # orders
    "gridmesh_own_orders": Declared(description="own orders live at the venue", tags=("symbol", "purpose")),
    "gridmesh_slots": Declared(description="levels with an order or a lot, by their state", tags=("symbol", "phase")),
    "gridmesh_orders_sent": Declared(description="orders sent", tags=("symbol", "purpose"), kind=_C),
    "gridmesh_orders_ended": Declared(description="orders over, by how", tags=("status",), kind=_C),
    "gridmesh_orders_refused": Declared(description="orders refused", tags=("symbol", "reason"), kind=_C),
    "gridmesh_fills": Declared(description="fills booked", tags=("symbol", "side"), kind=_C),
    "gridmesh_taker_fills": Declared(description="fills at the taker's fee", tags=("symbol",), kind=_C),
    "gridmesh_churn": Declared(description="cancels and replacements for each fill", tags=("symbol",)),
    "gridmesh_round_trips": Declared(description="lots bought and sold", tags=("symbol",), kind=_C),
    "gridmesh_venue_errors": Declared(description="calls refused or failed that are not the day's work", kind=_C),
    # exposure
    "gridmesh_lots": Declared(description="lots held", tags=("symbol",)),
    "gridmesh_lots_max": Declared(description="max_lots", tags=("symbol",)),
    "gridmesh_position_coins": Declared(description="position by the book, short below zero", tags=("symbol",)),
    "gridmesh_foreign_coins": Declared(description="position that is not ours", tags=("symbol",)),
    "gridmesh_exposure_quote": Declared(description="position at the mark, short below zero", tags=("symbol",)),
    "gridmesh_lot_cost_quote": Declared(description="what the held lots cost", tags=("symbol",)),
    "gridmesh_committed_quote": Declared(description="cost of lots and live entries of all symbols"),
    "gridmesh_notional_max_quote": Declared(description="account.max_notional"),
    # profit
    "gridmesh_grid_profit_quote": Declared(description="round trips less their fees and funding", tags=("symbol",)),
    "gridmesh_unrealised_quote": Declared(description="held lots at the mark", tags=("symbol",)),
    "gridmesh_total_profit_quote": Declared(description="realised and unrealised, fees and funding", tags=("symbol",)),
    "gridmesh_fees": Declared(description="fees paid, in the asset of the tag", tags=("symbol", "asset")),
    "gridmesh_funding_quote": Declared(description="funding received, paid below zero", tags=("symbol",)),
    # account
    "gridmesh_wallet_quote": Declared(description="wallet balance"),
    "gridmesh_available_quote": Declared(description="available balance"),
    "gridmesh_equity_quote": Declared(description="wallet and unrealised profit"),
    "gridmesh_equity_peak_quote": Declared(description="highest equity known"),
    "gridmesh_day_profit_quote": Declared(description="equity since midnight UTC, transfers left out"),
    "gridmesh_daily_loss_max_quote": Declared(description="account.daily_loss"),
    "gridmesh_unexplained_quote": Declared(description="equity that neither book nor ledger explains"),
}
