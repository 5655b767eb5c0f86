"""What ccxt's error classes mean for a write: only a closed list is a no, and none that sounds like a doubt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ccxt.base.errors import error_hierarchy

from exchanges.errors import OutcomeUnknown, Refusal, VenueError, VenueRefused, VenueUnreachable
from exchanges.generic.outcome import CODES, worded
from exchanges.outcome import Effect, Reply, judge

FINAL = frozenset(
    "AuthenticationError PermissionDenied AccountNotEnabled AccountSuspended ArgumentsRequired BadRequest BadSymbol "
    "OperationRejected NoChange MarginModeAlreadySet MarketClosed ManualInteractionNeeded RestrictedLocation "
    "InsufficientFunds InvalidOrder OrderNotFound OrderNotCached OrderImmediatelyFillable OrderNotFillable "
    "DuplicateOrderId ContractUnavailable NotSupported InvalidNonce".split()
)
LIMITED = frozenset({"DDoSProtection", "RateLimitExceeded"})


def classes(tree: dict[str, Any]) -> Iterator[str]:
    for name, below in tree.items():
        yield name
        yield from classes(below)


EVERY = tuple(classes(error_hierarchy))


def judged(name: str, effect: Effect, *, status: int = 400, message: str = "no") -> VenueError:
    return worded(judge(Reply(status=status, code=name, message=message), effect, CODES), effect)


@pytest.mark.parametrize("name", EVERY)
def test_a_write_is_refused_by_the_closed_list_alone(name: str) -> None:
    told = judged(name, Effect.WRITE)

    expected: type[VenueError] = VenueRefused if name in FINAL else OutcomeUnknown
    assert type(told) is (VenueUnreachable if name in LIMITED else expected)


@pytest.mark.parametrize("name", EVERY)
def test_no_class_makes_a_server_s_error_a_no(name: str) -> None:
    told = judged(name, Effect.WRITE, status=502)

    assert type(told) is (VenueUnreachable if name in LIMITED else OutcomeUnknown)


@pytest.mark.parametrize("name", EVERY)
def test_a_read_is_never_of_unknown_outcome(name: str) -> None:
    assert type(judged(name, Effect.READ)) is not OutcomeUnknown


@pytest.mark.parametrize(
    "message",
    [
        "Network timeout, please try again later",
        "System busy",
        "Internal error",
        "request timed out",
        "unavailable now",
    ],
)
def test_a_refusal_that_sounds_like_a_doubt_is_one(message: str) -> None:
    assert isinstance(judged("BadRequest", Effect.WRITE, message=message), OutcomeUnknown)
    assert isinstance(judged("BadRequest", Effect.READ, message=message), VenueRefused)


@pytest.mark.parametrize(
    ("name", "message", "closing", "post_only", "word"),
    [
        ("InvalidOrder", "Reduce-only order has the same side", True, True, Refusal.REDUCE_ONLY_CONFLICT),
        ("InvalidOrder", "No open positions to close.", True, False, Refusal.REDUCE_ONLY_CONFLICT),
        ("InvalidOrder", "Reduce-only order has the same side", False, True, Refusal.FILTER),
        ("BadRequest", "clientOidDuplicated", False, True, Refusal.DUPLICATE_ID),
        ("OperationRejected", "order would immediately match", False, True, Refusal.POST_ONLY_WOULD_TAKE),
        ("OperationRejected", "order would immediately match", False, False, Refusal.OTHER),
        ("AuthenticationError", "invalid timestamp", False, False, Refusal.CLOCK),
        ("AuthenticationError", "invalid key", False, False, Refusal.CREDENTIALS),
        ("InsufficientFunds", "duplicate", False, False, Refusal.MARGIN),
    ],
)
def test_the_venue_s_message_chooses_the_word_where_the_class_is_wide(
    name: str, message: str, closing: bool, post_only: bool, word: Refusal
) -> None:
    refused = judge(Reply(status=400, code=name, message=message), Effect.WRITE, CODES)
    told = worded(refused, Effect.WRITE, closing=closing, post_only=post_only)

    assert isinstance(told, VenueRefused)
    assert told.refusal is word
