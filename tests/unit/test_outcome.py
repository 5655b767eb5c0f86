"""The outcome rule, row by row: what a failure means for an order that may or may not be live."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import aiohttp
import pytest

from exchanges.binance.codes import CODES
from exchanges.errors import BadReply, OutcomeUnknown, Refusal, VenueError, VenueRefused, VenueUnreachable
from exchanges.outcome import Effect, Reply, judge

KEY = SimpleNamespace(host="venue", port=443, ssl=True, is_ssl=True)


def connector_error(cause: OSError) -> aiohttp.ClientConnectorError:
    return aiohttp.ClientConnectorError(KEY, cause)  # type: ignore[arg-type]


def caused_by(cause: BaseException) -> Exception:
    """An error of a library that wraps the one of the transport."""
    wrapper = Exception("venue not available")
    wrapper.__cause__ = cause
    return wrapper


def reply(status: int, code: int | None, message: str = "") -> Reply:
    return Reply(status=status, code=code, message=message)


UNKNOWN = [
    ("the venue hangs after accepting", TimeoutError()),
    ("accepted, then the connection is reset", aiohttp.ServerDisconnectedError()),
    ("reset, wrapped by a library", caused_by(aiohttp.ServerDisconnectedError())),
    ("reset while writing", ConnectionResetError()),
    ("the body is cut short", aiohttp.ClientPayloadError()),
    ("the body is no JSON", BadReply("rest: no JSON")),
    ("a proxy's page", reply(502, None, "<html>Bad Gateway</html>")),
    ("503 of unknown execution", reply(503, -1000, "Unknown error, please check your request or try again later.")),
    ("internal error", reply(500, -1001, "Internal error; unable to process your request. Please try again.")),
    ("unexpected reply from the bus", reply(400, -1006, "Execution status unknown.")),
    ("back end timed out", reply(408, -1007, "Timeout waiting for response from backend server.")),
    ("a code that no table lists", reply(400, -4999, "Something new.")),
    ("a request error without a code", reply(403, None, "<html>forbidden</html>")),
    ("a listed code under a server error", reply(500, -2019, "Margin is insufficient.")),
]
NOTHING_HAPPENED = [
    ("connection refused", connector_error(ConnectionRefusedError(111, "refused"))),
    ("connection refused, wrapped by a library", caused_by(connector_error(ConnectionRefusedError(111, "refused")))),
    ("no such host", aiohttp.ClientConnectorDNSError(KEY, socket.gaierror(-2, "unknown"))),  # type: ignore[arg-type]
    ("connecting timed out", aiohttp.ConnectionTimeoutError()),
    ("503 not executed", reply(503, -1001, "Service Unavailable.")),
    ("503 not executed, bare", reply(503, None, "Service Unavailable.")),
    ("overloaded", reply(503, -1008, "Server is currently overloaded with other requests.")),
    ("overloaded, under a request error", reply(400, -1008, "Request throttled by system-level protection.")),
    ("too many requests", reply(429, -1003, "Too many requests.")),
    ("too many requests, without a code", reply(429, None, "")),
    ("too many requests, told by the code alone", reply(400, -1003, "Too many requests queued.")),
    ("banned", reply(418, -1003, "IP banned.")),
    ("too many new orders", reply(400, -1015, "Too many new orders.")),
]
REFUSED = [
    (-1021, Refusal.CLOCK),
    (-5028, Refusal.CLOCK),
    (-2019, Refusal.MARGIN),
    (-2018, Refusal.MARGIN),
    (-2027, Refusal.MARGIN),
    (-5022, Refusal.POST_ONLY_WOULD_TAKE),
    (-2022, Refusal.REDUCE_ONLY_CONFLICT),
    (-4118, Refusal.REDUCE_ONLY_CONFLICT),
    (-4116, Refusal.DUPLICATE_ID),
    (-2011, Refusal.UNKNOWN_ORDER),
    (-2013, Refusal.UNKNOWN_ORDER),
    (-4164, Refusal.FILTER),
    (-4014, Refusal.FILTER),
    (-1111, Refusal.FILTER),
    (-4131, Refusal.FILTER),
    (-2025, Refusal.TOO_MANY_ORDERS),
    (-4400, Refusal.TRADING_RESTRICTED),
    (-2015, Refusal.CREDENTIALS),
    (-1022, Refusal.CREDENTIALS),
    (-4141, Refusal.SYMBOL_CLOSED),
    (-4061, Refusal.POSITION_MODE),
    (-1102, Refusal.OTHER),
]


@pytest.mark.parametrize(("row", "failure"), UNKNOWN, ids=[row for row, _ in UNKNOWN])
def test_an_order_that_may_be_live_is_unknown(row: str, failure: Reply | BaseException) -> None:
    assert type(judge(failure, Effect.WRITE, CODES)) is OutcomeUnknown


@pytest.mark.parametrize(("row", "failure"), NOTHING_HAPPENED, ids=[row for row, _ in NOTHING_HAPPENED])
def test_an_order_that_cannot_be_live_may_be_sent_again(row: str, failure: Reply | BaseException) -> None:
    assert type(judge(failure, Effect.WRITE, CODES)) is VenueUnreachable


@pytest.mark.parametrize(("code", "refusal"), REFUSED)
def test_a_listed_code_is_final_and_has_our_word(code: int, refusal: Refusal) -> None:
    error = judge(reply(400, code, "no"), Effect.WRITE, CODES)

    assert isinstance(error, VenueRefused)
    assert (error.code, error.refusal) == (str(code), refusal)


@pytest.mark.parametrize(("row", "failure"), UNKNOWN, ids=[row for row, _ in UNKNOWN])
def test_a_read_is_never_of_unknown_outcome(row: str, failure: Reply | BaseException) -> None:
    assert not isinstance(judge(failure, Effect.READ, CODES), OutcomeUnknown)


def test_a_read_that_cannot_be_parsed_stays_a_bad_reply() -> None:
    failure = BadReply("order.price: missing")

    assert judge(failure, Effect.READ, CODES) is failure


def test_an_unlisted_code_refuses_a_read() -> None:
    error = judge(reply(400, -4999, "Something new."), Effect.READ, CODES)

    assert isinstance(error, VenueRefused)
    assert error.refusal is Refusal.OTHER


def test_a_ban_says_so_and_how_long() -> None:
    told = Reply(status=418, code=-1003, message="banned", retry_after_s=120.0)
    error = judge(told, Effect.WRITE, CODES)

    assert isinstance(error, VenueUnreachable)
    assert (error.banned, error.retry_after_s) == (True, 120.0)


def test_a_ban_without_a_time_lasts_longer_than_a_warning() -> None:
    warning, ban = (judge(reply(status, -1003), Effect.WRITE, CODES) for status in (429, 418))

    assert isinstance(warning, VenueUnreachable)
    assert isinstance(ban, VenueUnreachable)
    assert ban.retry_after_s > warning.retry_after_s


def test_a_ban_is_one_whatever_its_code() -> None:
    error = judge(reply(418, -1015, "Too many new orders."), Effect.WRITE, CODES)

    assert isinstance(error, VenueUnreachable)
    assert error.banned


@pytest.mark.parametrize("status", [400, 429])
def test_a_full_order_window_is_no_ban(status: int) -> None:
    error = judge(reply(status, -1015, "Too many new orders."), Effect.WRITE, CODES)

    assert isinstance(error, VenueUnreachable)
    assert not error.banned
    assert error.retry_after_s == 10.0


def test_an_error_of_the_venue_passes_through() -> None:
    known: VenueError = VenueRefused("-2019", "no", Refusal.MARGIN)

    assert judge(known, Effect.WRITE, CODES) is known


def test_the_words_of_a_failure_hold_no_address() -> None:
    address = "https://venue/fapi/v1/order?signature=abcdef&listenKey=secret"
    error = judge(aiohttp.InvalidURL(address), Effect.WRITE, CODES)

    assert "signature" not in str(error)
    assert "secret" not in str(error)


def test_no_code_has_two_fates() -> None:
    groups = [set(CODES.refused), set(CODES.not_done), set(CODES.unknown), set(CODES.rate)]

    assert sum(len(group) for group in groups) == len(set().union(*groups))


def test_a_host_that_cannot_be_reached_is_named_and_nothing_else_of_the_address() -> None:
    error = judge(connector_error(ConnectionRefusedError(111, "refused")), Effect.READ, CODES)

    assert str(error) == "not sent: venue:443 cannot be reached (ClientConnectorError)"
