"""What the answers to writes mean, whichever venue gives them: a report, its refusal, or an unknown outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from exchanges import wire
from exchanges.errors import BadReply, VenueError
from exchanges.outcome import CodeTable, Effect, Reply, judge
from grid.order import OrderReport
from grid.stop import StopReport, StopRequest, StopStatus

REQUEST_ERROR = 400
"""The status of an item that is an error: the venue answered, and said no."""
Answer = OrderReport | BaseException
T = TypeVar("T")


def certain(read: Callable[[], T], codes: CodeTable) -> T:
    """Return what an answer to a write says; one that is not readable as such leaves the outcome unknown."""
    try:
        return read()
    except BadReply as failure:
        raise judge(failure, Effect.WRITE, codes) from None


async def batch_answers(
    reply: Awaitable[Any],
    client_ids: Sequence[str],
    where: str,
    codes: CodeTable,
    refusal: Callable[[Any, int, float | None], Reply | None],
    report: Callable[[Any, str], OrderReport],
) -> list[Answer]:
    """Wait for one REST batch and return each order's answer, in order; a failure of the whole is the answer to each.

    `refusal` reads an item that is an error (`HttpTongue`), `report` any other, of the order with that client id.
    """
    try:
        rows = wire.sequence(await reply, where)
        if len(rows) != len(client_ids):
            raise BadReply(f"{where}: {len(rows)} answers to {len(client_ids)} orders")
    except VenueError as failure:
        return [judge(failure, Effect.WRITE, codes) for _ in client_ids]
    answers: list[Answer] = []
    for row, client_id in zip(rows, client_ids, strict=True):
        try:
            refused = refusal(row, REQUEST_ERROR, None)
            answers.append(report(row, client_id) if refused is None else judge(refused, Effect.WRITE, codes))
        except VenueError as error:
            answers.append(error)
    return answers


async def failed(failure: VenueError) -> OrderReport:
    """Raise the error when it is awaited."""
    raise failure


def stop_accepted(row: wire.Row, request: StopRequest, where: str, *, id_key: str, algo_key: str) -> StopReport:
    """Return an accepted conditional order by an answer that repeats its ids and nothing else of it."""
    told = wire.text(row, id_key, where)
    if told != request.client_id:
        raise BadReply(f"{where}.{id_key}: asked about {request.client_id}, answered {wire.shown(told)}")
    return StopReport(
        symbol=request.symbol,
        client_id=request.client_id,
        algo_id=wire.text(row, algo_key, where),
        side=request.side,
        status=StopStatus.WAITING,
        trigger=request.trigger,
        closes_position=True,
    )
