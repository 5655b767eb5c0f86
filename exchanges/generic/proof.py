"""Whether the exchange tells our own orders again by our ids: on that stands that nothing is ever placed twice."""

from __future__ import annotations

from exchanges.errors import Refusal, VenueRefused
from exchanges.generic.contracts import Contract
from exchanges.generic.order_lists import OrderLists
from exchanges.generic.wire_orders import client_id
from grid.order import OrderReport

BEHIND_MS = 60_000


class Proof:
    """Where nobody has measured it, the first order that is placed has to be found in the lists under its own id.

    Until one was found each order is looked for; once one came back under another id, nothing more is placed.
    """

    def __init__(self, name: str, prefix: str, *, is_measured: bool) -> None:
        self._name = name
        self._prefix = prefix
        self._is_given = is_measured
        self._told = ""

    def require(self) -> None:
        """Raise where an order of ours came back as somebody else's."""
        if self._told:
            words = (
                f"{self._name} told our order as {self._told}: an order whose answer is lost could not be found again"
            )
            raise VenueRefused("", words, Refusal.OTHER)

    async def look(self, placed: OrderReport, contract: Contract, lists: OrderLists) -> None:
        """Look for a placed order. One that is not there yet proves nothing; raises `VenueError` of the reading."""
        if self._is_given or self._told:
            return
        for row in await lists.every(contract, placed.venue_ms - BEHIND_MS):
            if str(row.get("id")) != placed.order_id:
                continue
            told = client_id(row, placed.order_id, self._prefix)
            self._is_given = told == placed.client_id
            self._told = "" if self._is_given else told
