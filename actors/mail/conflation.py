"""Where a newer message makes an older one of the same kind needless: what waits for a receiver stays small.

Only messages that were never sent are merged, so numbering has no holes. What is merged names everything that any part
named: a view replaces the older view, the levels concerned are joined.
"""

from __future__ import annotations

from collections.abc import Hashable

from actors.mail.messages import (
    AccountWord,
    Alarms,
    FeedWord,
    HoldWord,
    Intents,
    LastWords,
    Message,
    PriceWanted,
    SetupWanted,
    SlotsKnown,
    SlotsWanted,
    SymbolGone,
    SymbolSetup,
    Tellings,
)
from grid.intent import Standing, Told
from grid.slot import SlotKey
from grid.window import WindowChange
from risk.lease import Go


def conflation_key(message: Message) -> Hashable:
    """Return what waiting messages must share to be merged into one."""
    match message:
        case SymbolSetup():
            return (SymbolSetup, message.generation.symbol)
        case SetupWanted():
            return (SetupWanted, message.receiver, message.symbol)
        case SymbolGone():
            return (SymbolGone, message.symbol)
        case SlotsWanted() | SlotsKnown() | PriceWanted():
            return (type(message), message.receiver, getattr(message, "symbol", ""))
        case Standing() | FeedWord() | Alarms():
            return (type(message), message.symbol)
        case HoldWord():
            return (HoldWord, message.cause, message.symbol)
        case WindowChange():
            return (WindowChange, message.view.symbol)
        case Intents() | Tellings() | Go() | AccountWord() | LastWords():
            return (type(message),)


def merged(older: Message, newer: Message) -> Message:
    """Return one message that says all that is still true of both, which share a key."""
    match older, newer:
        case Tellings(), Tellings():
            return Tellings(told=_newest_told(older, newer))
        case Intents(), Intents():
            intents = tuple({intent.key: intent for intent in older.intents + newer.intents}.values())
            return Intents(intents=intents, quoted_ms=_earlier(older.quoted_ms, newer.quoted_ms))
        case Alarms(), Alarms():
            return Alarms(symbol=newer.symbol, alarms=tuple({a.level: a for a in older.alarms + newer.alarms}.values()))
        case SlotsWanted(), SlotsWanted():
            return SlotsWanted(receiver=newer.receiver, keys=tuple(dict.fromkeys(older.keys + newer.keys)))
        case WindowChange(), WindowChange():
            return _joined(older, newer)
        case Standing(), Standing():
            return newer if newer.halt_epoch >= older.halt_epoch else older
        case _:
            return newer


def _newest_told(older: Tellings, newer: Tellings) -> tuple[Told, ...]:
    newest: dict[SlotKey, Told] = {}
    for told in older.told + newer.told:
        known = newest.get(told.state.key)
        if known is None or told.state.version >= known.state.version:
            newest[told.state.key] = told
    return tuple(newest.values())


def _joined(older: WindowChange, newer: WindowChange) -> WindowChange:
    if older.view.generation != newer.view.generation:
        return newer
    entered = {*older.entered, *newer.entered} - set(newer.left)
    left = {*older.left, *newer.left} - set(newer.entered)
    return WindowChange(
        view=newer.view,
        entered=tuple(sorted(entered)),
        left=tuple(sorted(left)),
        due=tuple(sorted({*older.due, *newer.due})),
        rung=tuple(sorted({*older.rung, *newer.rung})),
        quoted_ms=_earlier(older.quoted_ms, newer.quoted_ms),
    )


def _earlier(older_ms: int | None, newer_ms: int | None) -> int | None:
    """Return the time of the quote that waits for longest."""
    return newer_ms if older_ms is None else older_ms
