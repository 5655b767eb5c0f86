"""Whether a symbol has come to rest: what rests at the venue is what the slots want at its present price.

Three are compared, since each may be behind the others: the venue, the gateway's book, and each slot's own word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from actors.symbol_feed import FeedPhase, FeedSnapshot
from grid.reasons import Reason
from grid.slot_machine import Explanation
from tests.live_control import Row

Picture = Mapping[str, Any]
QUIET = ("free", "locked")
ON_ITS_WAY = frozenset(
    {
        Reason.MIN_REST,
        Reason.PENDING,
        Reason.CANCELLING,
        Reason.OUTCOME_UNKNOWN,
        Reason.SETTLING,
        Reason.BACK_OFF,
        Reason.NO_GO,
        Reason.BUSY,
        Reason.RESTORING,
        Reason.STALE,
    }
)
"""What passes by itself. A limit or a refusal of the venue's may last, and is rest."""
NOT_HEARD = frozenset({Reason.ABOVE_PRICE, Reason.BELOW_WINDOW, Reason.SLACK, Reason.PRICE_UNKNOWN})
"""What no level inside the window says that has heard of the price."""


def same_orders(own_orders: Iterable[tuple[Row, object]], picture: Picture) -> bool:
    """Say whether the same orders live at the venue and in the book, which has nothing under way."""
    levels = picture.get("levels", [])
    in_book = {row["order"]["client_id"] for row in levels if row["order"]}
    return {row["clientOrderId"] for row, _ in own_orders} == in_book and all(row["phase"] in QUIET for row in levels)


def price_is_heard(seen: FeedSnapshot | None, shown: Mapping[str, str], picture: Picture) -> bool:
    """Say whether the feed knows the price that the venue shows; one that is dead or stale has none to know."""
    if seen is None or seen.phase in (FeedPhase.STALE, FeedPhase.RESTORING):
        return True
    if seen.quote is None or seen.view is None:
        return False
    tick = Decimal(picture["tick"])
    side, price = ("bid", seen.quote.bid) if picture["side"] == "long" else ("ask", seen.quote.ask)
    return not shown[side] or Decimal(shown[side]) == tick * price


def slots_want_nothing(
    told: Sequence[Explanation], seen: FeedSnapshot | None, picture: Picture, buy_window: int
) -> bool:
    """Say whether each slot knows its order and lot in the book, has heard of the price, and wants nothing else."""
    words = {(one.generation, one.level): one for one in told}
    if any(one.reason in ON_ITS_WAY or one.detail == "asked" for one in told):
        return False
    if not _know_the_book(words, picture):
        return False
    if seen is None or seen.view is None or seen.phase is not FeedPhase.FRESH:
        return True
    top, generation = seen.view.top, seen.view.generation
    window = [words.get((generation, level)) for level in range(top - buy_window + 1, top + 1)]
    return all(one is not None and one.reason not in NOT_HEARD for one in window)


def _know_the_book(words: Mapping[tuple[int, int], Explanation], picture: Picture) -> bool:
    book = {(row["generation"], row["level"]): row for row in picture.get("levels", [])}
    for place in {*words, *book}:
        word, row = words.get(place), book.get(place)
        ours = word.order.client_id if word is not None and word.order is not None else None
        theirs = row["order"]["client_id"] if row is not None and row["order"] else None
        has_lot = word is not None and word.lot is not None
        if ours != theirs or has_lot is not (row is not None and row["lot"] is not None):
            return False
    return True
