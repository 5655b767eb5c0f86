"""What of a configuration reaches beyond our own orders, and what it costs: said before a start (rule 24)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from actors.check.book import KnownBook
from actors.check.lines import Checked, ok, warn
from actors.settings.symbol import SymbolSettings
from exchanges.cost import CallCosts
from exchanges.port import Position
from grid.client_id import decode
from grid.stop import StopReport


def reach_lines(ladder: SymbolSettings, position: Position | None, costs: CallCosts) -> Iterator[Checked]:
    """Name the countdown and the exchange-side stop of a symbol."""
    if ladder.countdown_s is not None:
        weight = (costs.countdown.weight * Decimal(120) / ladder.countdown_s).normalize()
        words = (
            f"countdown_s {ladder.countdown_s}: the venue would cancel ALL orders on the symbol, exits and those of "
            f"other hands too; renewed at half the time, it costs a weight of {weight:f} a minute"
        )
        yield warn(ladder.symbol, words)
    if ladder.exchange_stop is None:
        return
    words = "exchange_stop: when its price comes the venue closes the whole position at market"
    if not ladder.exchange_stop.closes_foreign_position:
        words += "; it is taken off while other hands hold a position on the symbol (no closes_foreign_position)"
        if position is not None and position.quantity:
            words += "; there is a position now: whatever of it is not ours keeps the stop off"
        yield ok(ladder.symbol, words)
    else:
        yield warn(ladder.symbol, f"{words}, what other hands hold on the symbol too (closes_foreign_position)")


def stop_lines(known: KnownBook, stops: Sequence[StopReport], symbols: Sequence[str]) -> Iterator[Checked]:
    """Tell our own conditional orders from those of others, and name what of theirs would close our lots."""
    for stop in stops:
        identity = decode(stop.client_id, stop.symbol)
        if identity is not None and identity.journal == known.journal_id:
            if not known.is_held:
                yield warn("conditional orders", f"{stop.symbol}: our own stop already rests; a start looks after it")
        elif identity is not None:
            yield warn("conditional orders", f"{stop.symbol}: one of another journal of this program")
        elif stop.closes_position and stop.symbol in symbols:
            yield warn("conditional orders", f"{stop.symbol}: one of other hands closes the position, our lots too")
