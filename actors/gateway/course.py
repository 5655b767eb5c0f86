"""How far a gateway has come: what it waits for, whether it serves, and why it refuses."""

from __future__ import annotations

from typing import Any

from structlog.typing import FilteringBoundLogger

from actors.exit_codes import ExitCode
from actors.gateway.gateway_state import GatewayState
from grid.errors import RefusedToStart


class Course:
    """From RESTORING to SERVING or REFUSED."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self.state = GatewayState.RESTORING
        self.waiting_for = ["its start"]
        self._refusals: list[str] = []
        self._refusal_code = ExitCode.OK

    def wait_for(self, what: str) -> None:
        """Say what it waits for now."""
        self.waiting_for = [what]

    def serve(self) -> None:
        """It trades from here on."""
        self.state, self.waiting_for = GatewayState.SERVING, []

    def refuse(self, reasons: list[str], code: ExitCode) -> None:
        """It trades no more, or never did."""
        self.state, self._refusals, self.waiting_for = GatewayState.REFUSED, reasons, []
        self._refusal_code = code
        self._log.error("refused_to_start", why=str(RefusedToStart(tuple(reasons))))

    def rows(self) -> dict[str, Any]:
        """Return what `snapshot` shows of it."""
        return {
            "state": self.state.value,
            "refusals": list(self._refusals),
            "refusal_code": int(self._refusal_code),
        }
