"""The instruments as this process knows them. Units are pinned: no tick or step changes its meaning while we run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from exchanges.wire import Instruments


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """Instruments after a new reading, and in words what nobody can trade through."""

    instruments: Instruments
    changes: dict[str, str]
    """By symbol."""


def merge(known: Instruments, read: Instruments) -> Merged:
    """Take over a new reading of the rules.

    Prices and quantities are whole ticks and steps everywhere: where the venue changes one of the two, or delists a
    symbol, the old units stay and the symbol no longer trades. A restart reads the new ones.
    """
    merged = dict(read)
    changes: dict[str, str] = {}
    for symbol, old in known.items():
        new = read.get(symbol)
        if new is None:
            merged[symbol] = replace(old, trading=False)
            changes[symbol] = f"{symbol} is no longer listed"
        elif (new.tick, new.step) != (old.tick, old.step):
            merged[symbol] = replace(old, trading=False)
            changes[symbol] = (
                f"{symbol} has tick {new.tick} and step {new.step}, no longer {old.tick} and {old.step}: restart"
            )
        elif old.trading and not new.trading:
            changes[symbol] = f"{symbol} stopped trading"
    return Merged(instruments=merged, changes=changes)
