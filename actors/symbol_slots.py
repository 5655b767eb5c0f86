"""One symbol's levels in a slot actor, decided synchronously: what is asked of the gateway and the feed, and when."""

from __future__ import annotations

from typing import Any

from actors.actor_names import SlotLayout
from actors.mail.messages import Alarms, Intents, PriceWanted, SetupWanted, SlotsKnown, SlotsWanted, SymbolSetup
from actors.mail.outbox import Outbox
from grid.intent import Standing, Told
from grid.slot_group import Requests, SlotGroup
from grid.slot_machine import Explanation
from grid.window import WindowChange

ASK_AGAIN_MS = 1_000


class SymbolSlots:
    """Restoring until the gateway has told levels and rules. Times are milliseconds of the wall clock."""

    def __init__(
        self,
        *,
        name: str,
        layout: SlotLayout,
        index: int,
        gateway: str,
        feed: str,
        outbox: Outbox,
        reconcile_ms: int,
        first_reconcile_ms: int,
    ) -> None:
        self._name = name
        self._layout = layout
        self._remainders = layout.remainders(index)
        self._gateway = gateway
        self._feed = feed
        self._outbox = outbox
        self._reconcile_ms = reconcile_ms
        self._first_reconcile_ms = first_reconcile_ms
        self._setup: SymbolSetup | None = None
        self._group: SlotGroup | None = None
        self._reconcile_at_ms = 0
        self.wakes_at_ms = 0
        """When time alone next changes something: `on_time` is called then."""
        self.intents = 0
        """How many were asked for so far."""

    @property
    def waits_for(self) -> str:
        """Return what it cannot serve without, empty where it serves."""
        return f"setup of {self._layout.symbol} from {self._gateway}" if self._group is None else ""

    def explain(self) -> list[Explanation]:
        """Return why each level has, or lacks, an order; highest first. Empty while restoring."""
        return self._group.explain() if self._group is not None else []

    def snapshot(self) -> dict[str, Any]:
        """Return what observers see."""
        group = self._group
        return {
            "phase": "restoring" if group is None else "serving",
            "holds": group.standing.holds if group is not None else (),
            "halt_epoch": group.standing.halt_epoch if group is not None else None,
            "view": group.view if group is not None else None,
            "intents": self.intents,
        }

    def on_setup(self, setup: SymbolSetup, now_ms: int) -> None:
        """Take levels and rules; unchanged ones change nothing, nor do those of before a neutral grid's last turn."""
        if setup == self._setup or (self._setup is not None and setup.turn < self._setup.turn):
            return
        self._setup = setup
        self._group = SlotGroup(
            ladder=setup.generation.ladder(),
            policy=setup.policy,
            instrument=setup.instrument,
            remainders=self._remainders,
            modulus=self._layout.modulus,
            older=tuple(generation.ladder() for generation in setup.older),
        )
        self._reconcile_at_ms = now_ms + self._first_reconcile_ms
        self.want_price()
        self._appoint()

    def on_window(self, change: WindowChange, now_ms: int) -> None:
        """Take a window difference of the feed."""
        if self._group is not None:
            self._send(self._group.on_window(change, now_ms), change.quoted_ms)

    def on_told(self, told: Told, now_ms: int) -> None:
        """Take the desk's word about one slot."""
        if self._group is not None:
            self._send(self._group.on_told(told, now_ms))

    def on_standing(self, standing: Standing, now_ms: int) -> None:
        """Take a broadcast of holds."""
        if self._group is not None:
            self._send(self._group.on_standing(standing, now_ms))

    def on_time(self, now_ms: int) -> None:
        """Do what time alone brings: ask again, evaluate what is due, and once a reconcile period everything."""
        group = self._group
        if group is None:
            self.ask_setup(now_ms)
        elif now_ms >= self._reconcile_at_ms:
            self._reconcile_at_ms = now_ms + self._reconcile_ms
            if group.view is not None:  # without a price nothing is known to be out of reach
                group.forget_idle()
            self._send(group.on_time(now_ms, everything=True))
            self.want_price()
            self._tell_known(group)
        else:
            self._send(group.on_time(now_ms))

    def ask_setup(self, now_ms: int) -> None:
        """Ask the gateway for levels, rules and the book's state of our slots."""
        wanted = SetupWanted(
            receiver=self._name,
            symbol=self._layout.symbol,
            remainders=tuple(sorted(self._remainders)),
            modulus=self._layout.modulus,
        )
        self._outbox.post(self._gateway, wanted)
        if self._group is None:
            self.wakes_at_ms = now_ms + ASK_AGAIN_MS

    def want_price(self) -> None:
        """Ask the feed for the present price."""
        self._outbox.post(self._feed, PriceWanted(receiver=self._name, symbol=self._layout.symbol))

    def _tell_known(self, group: SlotGroup) -> None:
        """Tell the gateway what is known here: a word of its that was lost is missed for a reconcile period at most."""
        known = SlotsKnown(
            receiver=self._name,
            symbol=self._layout.symbol,
            remainders=tuple(sorted(self._remainders)),
            modulus=self._layout.modulus,
            halt_epoch=group.standing.halt_epoch,
            versions=group.versions(),
        )
        self._outbox.post(self._gateway, known)

    def _send(self, requests: Requests, quoted_ms: int | None = None) -> None:
        if requests.intents:
            self.intents += len(requests.intents)
            self._outbox.post(self._gateway, Intents(intents=requests.intents, quoted_ms=quoted_ms))
        if requests.alarms:
            self._outbox.post(self._feed, Alarms(symbol=self._layout.symbol, alarms=requests.alarms))
        if requests.unknown_levels:
            self._outbox.post(self._gateway, SlotsWanted(receiver=self._name, keys=requests.unknown_levels))
        if requests.needs_price:
            self.want_price()
        self._appoint()

    def _appoint(self) -> None:
        due_ms = self._group.next_wake_ms() if self._group is not None else None
        self.wakes_at_ms = self._reconcile_at_ms if due_ms is None else min(due_ms, self._reconcile_at_ms)
