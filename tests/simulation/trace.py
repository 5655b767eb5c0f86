"""A schedule's steps in words: short enough to read, complete enough to see why."""

from __future__ import annotations

from dataclasses import dataclass, field

from actors.mail.messages import Envelope, Intents, Tellings
from exchanges.desk.events import Accepted, NotSent, Refused, Unknown
from grid.client_id import decode
from grid.intent import CancelIntent, Intent, Standing, Told
from grid.order import OrderReport, OrderRequest, OrderUpdate, Quote
from grid.window import WindowChange
from tests.simulation.schedule import Move
from tests.simulation.worlds import SYMBOL

SKIPPED = frozenset({"line", "desk", "marks"})


@dataclass(slots=True)
class Trace:
    """Collects lines; `lines(before_ms)` gives the last of them and every fault."""

    rows: list[tuple[int, str]] = field(default_factory=list)

    def __call__(self, now_ms: int, what: str, about: object) -> None:
        """Take one step."""
        if what not in SKIPPED:
            self.rows.append((now_ms, f"{now_ms:>7} {what:<22} {describe(about)}".rstrip()))

    def lines(self, *, last_ms: int) -> list[str]:
        """Return every fault and the steps of the last `last_ms`."""
        end_ms = self.rows[-1][0] if self.rows else 0
        return [text for at_ms, text in self.rows if " FAULT " in text or at_ms >= end_ms - last_ms]


def describe(about: object) -> str:
    """Return a step's subject in a few words."""
    return _message(about) or _venue_word(about) or str(about)[:200]


def _message(about: object) -> str:
    match about:
        case Envelope(sender=sender, message=message):
            return f"<- {sender}: {describe(message)}"
        case Tellings(told=told):
            return "; ".join(_told(one) for one in told)
        case Intents(intents=intents):
            return "; ".join(_intent(one) for one in intents)
        case Standing(halt_epoch=halt_epoch, holds=holds):
            return f"standing {halt_epoch} {', '.join(holds) or 'no hold'}"
        case WindowChange(view=view):
            return f"p={view.price} c={view.top} entered {about.entered} left {about.left} due {about.due} {about.rung}"
        case _:
            return ""


def _venue_word(about: object) -> str:
    match about:
        case OrderRequest():
            word = "close" if about.closing else "open"
            return f"{identity(about.client_id)} {about.side.value} {about.quantity} at {about.price} {word}"
        case OrderUpdate(report=report, fill=fill):
            return f"{describe(report)}{f' FILL {fill.quantity} at {fill.price}' if fill else ''}"
        case OrderReport():
            return f"{identity(about.client_id)} {about.status.value} {about.filled}/{about.quantity} at {about.price}"
        case Accepted(report=report):
            return f"accepted: {describe(report)}"
        case Refused(code=code, message=text):
            return f"refused: {code} {text}"
        case NotSent(reason=reason) | Unknown(reason=reason):
            return f"{type(about).__name__}: {reason}"
        case Quote(bid=bid, ask=ask):
            return f"{bid}/{ask}"
        case Move(bid=bid, quantity=quantity):
            return f"to {bid} by {quantity}"
        case str():
            return identity(about)
        case _:
            return ""


def _told(told: Told) -> str:
    state = told.state
    order = f" {identity(state.order.client_id)} filled {state.order.filled}" if state.order else ""
    lot = f" lot {state.lot.quantity} -> {state.lot.target}" if state.lot else ""
    why = f" refused: {told.refusal.value}" if told.refusal else ""
    return f"level {state.key.level} v{state.version} {state.phase.value}{order}{lot}{why}"


def _intent(intent: Intent) -> str:
    if isinstance(intent, CancelIntent):
        return f"level {intent.key.level} cancel {identity(intent.client_id)}: {intent.reason.value}"
    what = f"place {intent.purpose.name} {intent.quantity} at {intent.price}"
    return f"level {intent.key.level} {what} on v{intent.basis_version}"


def identity(client_id: str) -> str:
    """Return what a client id says, or the text itself."""
    found = decode(client_id, SYMBOL)
    if found is None:
        return client_id
    return f"{found.purpose.name}[{found.level}]#{found.owner_epoch}.{found.sequence}"
