"""What a message of another actor means to the order desk: one translation for every driver."""

from __future__ import annotations

from actors.mail.messages import FeedWord, HoldWord, Intents, Message, SetupWanted, SlotsKnown, SlotsWanted
from exchanges.desk.events import Asked, Event, GoSaid, HoldAsked, ReferenceSeen, StatesWanted
from grid.book import Book
from grid.intent import CancelIntent, Intent
from grid.slot import SlotKey
from grid.symbol_book import SymbolBook
from risk.lease import Go


def desk_events(message: Message) -> list[Event] | None:
    """Return the events that the message is, in order; None where it is nothing to the desk."""
    match message:
        case Intents(intents=intents):
            return [Asked(intent=intent) for intent in sorted(intents, key=_turn)]
        case SlotsWanted(keys=keys):
            return [StatesWanted(keys=keys)]
        case FeedWord(symbol=symbol, reference=reference, is_fresh=is_fresh, detail=detail):
            return [ReferenceSeen(symbol=symbol, reference=reference, is_fresh=is_fresh, detail=detail)]
        case Go():
            return [GoSaid(go=message)]
        case HoldWord(cause=cause, symbol=symbol, is_put=is_put, reason=reason):
            return [HoldAsked(cause=cause, symbol=symbol, is_put=is_put, reason=reason)]
        case _:
            return None


def states_wanted(wanted: SetupWanted, book: SymbolBook, generation: int) -> StatesWanted:
    """Return which slots are to be told to a slot actor that has (re)started.

    At least one word, so that it learns which holds stand.
    """
    served = (key for key in book.slots if key.level % wanted.modulus in wanted.remainders)
    return StatesWanted(keys=tuple(dict.fromkeys((_first_key(wanted, generation), *served))))


def states_missed(known: SlotsKnown, book: Book) -> StatesWanted | None:
    """Return which slots are to be told again to an actor that missed a word, None where it missed none.

    Every telling carries the holds: where only those were missed, one slot's is enough.
    """
    symbol, versions = book.symbol(known.symbol), dict(known.versions)
    missed = [
        key
        for key, state in symbol.slots.items()
        if key.level % known.modulus in known.remainders
        and (versions[key] != state.version if key in versions else bool(state.order or state.lot))
    ]
    if not missed and known.halt_epoch != book.halt_epoch:
        missed = [_first_key(known, symbol.generation.generation)]
    return StatesWanted(keys=tuple(missed)) if missed else None


def _first_key(asked: SetupWanted | SlotsKnown, generation: int) -> SlotKey:
    return SlotKey(symbol=asked.symbol, generation=generation, level=min(asked.remainders))


def _turn(intent: Intent) -> tuple[int, int]:
    """Whose turn it is within a message: exits, then entries with the nearest first, then what is withdrawn.

    Each is committed and written before the next is looked at, so a cancel before it would keep an entry waiting.
    """
    if isinstance(intent, CancelIntent):
        return 2, 0
    return (0 if intent.purpose.closing else 1), -intent.key.level
