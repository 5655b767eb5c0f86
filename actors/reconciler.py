"""Has book and venue compared, period by period, and keeps what was found."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from actors.mail.messages import Envelope, Receipt
from actors.structured_log import log_of


class Reconciler:
    """One account's reconciler.

    Every period it asks the gateway to read open orders, trades and positions, in this order, through the one limiter;
    the gateway's desk judges the reading against the book in the step in which it arrives, so that nothing moves in
    between. Losing the reconciler loses no truth: the next one goes on.
    """

    def __init__(self, *, name: str, period_s: float, ask_gateway: Callable[..., Any]) -> None:
        self._name = name
        self._period_s = period_s
        self._ask = ask_gateway
        self._rounds = 0
        self._unanswered = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def receive(self, envelope: Envelope) -> Receipt:
        """Take no messages: nobody sends any."""
        return Receipt()

    def snapshot(self) -> dict[str, Any]:
        """Return how many rounds were asked for, and how many the gateway did not take."""
        return {"name": self._name, "rounds": self._rounds, "unanswered": self._unanswered}

    def stop(self) -> bool:
        """End."""
        self._stop.set()
        return True

    def _run(self) -> None:
        while not self._stop.wait(self._period_s):
            if self._ask("reconcile", f"round {self._rounds + 1}"):
                self._rounds += 1
            else:
                self._unanswered += 1
                log_of(self._name).warning("gateway_silent", unanswered=self._unanswered)
