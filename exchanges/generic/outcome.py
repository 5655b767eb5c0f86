"""What ccxt's error classes mean for an order. ccxt's words decide nothing where they leave a doubt.

Only a class that says no to this very request is final. Whatever ccxt derives from `OperationFailed`, and its bare
`ExchangeError` for a code that nobody listed, leaves a write unknown: venues take orders and answer so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from exchanges.errors import OutcomeUnknown, Refusal, VenueError, VenueRefused
from exchanges.outcome import CodeTable, Effect
from exchanges.port import UsedQuota
from exchanges.session.http import pause_s

_REFUSED: dict[Refusal, str] = {
    Refusal.POST_ONLY_WOULD_TAKE: "OrderImmediatelyFillable",
    Refusal.MARGIN: "InsufficientFunds",
    Refusal.DUPLICATE_ID: "DuplicateOrderId",
    Refusal.UNKNOWN_ORDER: "OrderNotFound OrderNotCached",
    Refusal.FILTER: "InvalidOrder OrderNotFillable BadRequest ArgumentsRequired",
    Refusal.CLOCK: "InvalidNonce",
    Refusal.TRADING_RESTRICTED: "AccountSuspended AccountNotEnabled RestrictedLocation ManualInteractionNeeded",
    Refusal.CREDENTIALS: "AuthenticationError PermissionDenied",
    Refusal.SYMBOL_CLOSED: "BadSymbol MarketClosed ContractUnavailable",
    Refusal.OTHER: "NotSupported NoChange MarginModeAlreadySet OperationRejected",
}
_UNKNOWN = (
    "ExchangeError OperationFailed NetworkError ExchangeNotAvailable OnMaintenance ChecksumError RequestTimeout "
    "BadResponse NullResponse CancelPending"
)

CODES = CodeTable(
    refused={name: refusal for refusal, names in _REFUSED.items() for name in names.split()},
    # nothing that ccxt tells says that an order was surely not taken
    not_done={},
    unknown=frozenset(_UNKNOWN.split()),
    rate=frozenset({"RateLimitExceeded", "DDoSProtection"}),
    not_done_words="",
)

_REDUCE_ONLY = re.compile(
    r"reduce.?only|only reduce|no (open )?position|positions? (is |to )?(zero|not enough|close|reduce)", re.IGNORECASE
)
_POST_ONLY = re.compile(r"post.?only|immediately (match|fill|trigger)|would (take|cross|match)", re.IGNORECASE)
_DUPLICATE = re.compile(r"duplicate|already (exist|used|in use)", re.IGNORECASE)
_CLOCK = re.compile(r"time.?stamp|recv.?window|nonce|request.{0,20}expired", re.IGNORECASE)
_DOUBT = re.compile(r"time.?out|timed out|try again later|busy|internal (server )?error|system error|unavailable", re.I)
"""Words that no plain refusal has. ccxt puts some venues' time-outs under classes that mean no."""
_WIDE = frozenset({Refusal.FILTER, Refusal.OTHER})


class CcxtTongue:
    """What the HTTP client is told of a venue that only ccxt can read: its classes are the codes."""

    codes = CODES

    def used(self, headers: Mapping[str, str], at_ns: int) -> UsedQuota | None:
        """Return None: which headers tell what is used is not known of any venue."""
        return None

    def pause_s(self, headers: Mapping[str, str]) -> float | None:
        """Return how long the venue asks us to wait, or None where it does not say."""
        return pause_s(headers)

    def refusal(self, decoded: object, status: int, retry_after_s: float | None) -> None:
        """Return None: ccxt reads replies by itself, with more than their body."""
        return


def name_of(error: BaseException) -> str:
    """Return ccxt's class of an error, by which it is judged: two copies of ccxt have two classes of one name."""
    return type(error).__name__


def worded(error: VenueError, effect: Effect, *, closing: bool = False, post_only: bool = False) -> VenueError:
    """Return a refusal under our word for it: where ccxt's class is wider, the venue's own message chooses."""
    if not isinstance(error, VenueRefused):
        return error
    refusal, words = error.refusal, str(error).partition(": ")[2]
    if effect is Effect.WRITE and _DOUBT.search(words):
        return OutcomeUnknown(str(error))
    if refusal in _WIDE and closing and _REDUCE_ONLY.search(words):
        refusal = Refusal.REDUCE_ONLY_CONFLICT
    elif refusal in _WIDE and _DUPLICATE.search(words):
        refusal = Refusal.DUPLICATE_ID
    elif refusal in _WIDE and post_only and _POST_ONLY.search(words):
        refusal = Refusal.POST_ONLY_WOULD_TAKE
    elif refusal in (Refusal.CREDENTIALS, *_WIDE) and _CLOCK.search(words):
        refusal = Refusal.CLOCK
    return VenueRefused(error.code, words, refusal)
