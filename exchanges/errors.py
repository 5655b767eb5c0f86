"""What can go wrong at a venue, named by what the caller should do."""

from __future__ import annotations

from enum import Enum

from grid.errors import GridmeshError


class Refusal(Enum):
    """Why a venue refused, in venue-neutral words; each has its own consequence in the desk."""

    POST_ONLY_WOULD_TAKE = "post_only_would_take"
    REDUCE_ONLY_CONFLICT = "reduce_only_conflict"
    MARGIN = "margin"
    DUPLICATE_ID = "duplicate_id"
    UNKNOWN_ORDER = "unknown_order"
    FILTER = "filter"
    TOO_MANY_ORDERS = "too_many_orders"
    CLOCK = "clock"
    TRADING_RESTRICTED = "trading_restricted"
    CREDENTIALS = "credentials"
    SYMBOL_CLOSED = "symbol_closed"
    POSITION_MODE = "position_mode"
    WOULD_TRIGGER = "would_trigger"
    OTHER = "other"


class VenueError(GridmeshError):
    """Any failure of a call to a venue."""


class VenueRefused(VenueError):
    """The venue said no and nothing happened; do not send the same again.

    `code` is the venue's own code as text (`-2019`), `refusal` our word for it.
    """

    def __init__(self, code: str, message: str, refusal: Refusal) -> None:
        super().__init__(f"{refusal.value} ({code}): {message}")
        self.code = code
        self.refusal = refusal


class VenueUnreachable(VenueError):
    """Nothing happened: it was never sent, or the venue says so. Retry after `retry_after_s`."""

    def __init__(self, message: str, retry_after_s: float = 1.0, banned: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.banned = banned


class OutcomeUnknown(VenueError):
    """It may have happened; find out before anything else."""


class BadReply(VenueError):
    """The venue's message does not have the shape that its documents state; names the field."""


class NotSupported(VenueError):
    """The venue or the account cannot do what the program needs; names what is lacking."""
