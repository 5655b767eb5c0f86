"""Where an order gateway stands."""

from __future__ import annotations

from enum import Enum


class GatewayState(Enum):
    """It serves only once its book agrees with the venue's word."""

    RESTORING = "restoring"
    REFUSED = "refused"
    SERVING = "serving"
