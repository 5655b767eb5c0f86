"""What happens to a gateway that does not have the account."""

from __future__ import annotations

from exchanges.errors import VenueUnreachable
from grid.errors import RefusedToStart

RETRY_S = 0.5


class Fenced(VenueUnreachable):
    """Nothing was sent: the lease on the account does not cover it now."""

    def __init__(self) -> None:
        super().__init__("the lease on the account is not held now: nothing is sent", retry_after_s=RETRY_S)


class LeaseForgotten(Exception):
    """The store was started anew after our lease had ended: nobody can say who held it since. Begin anew."""


class AccountTaken(RefusedToStart):
    """Another deployment has the account: this one stops, or does not start."""
