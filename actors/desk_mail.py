"""What a message of another actor means to the order desk: one translation for every driver."""

from __future__ import annotations

from actors.messages import FeedWord, HoldWord, Intents, Message, SlotsWanted
from exchanges.desk.events import Asked, Event, GoSaid, HoldAsked, ReferenceSeen, StatesWanted
from risk.lease import Go


def desk_events(message: Message) -> list[Event] | None:
    """Return the events that the message is, in order; None where it is nothing to the desk."""
    match message:
        case Intents(intents=intents):
            return [Asked(intent=intent) for intent in intents]
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
