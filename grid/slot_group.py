"""All levels that one grid slot actor serves: their machines, the last price and the standing holds.

The one object that decides about entries and exits of a level under every driver: event in, requests out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grid.instrument import Instrument
from grid.intent import Intent, Standing, Told
from grid.ladder import Ladder
from grid.policy import GridPolicy
from grid.slot import SlotKey
from grid.slot_machine import Explanation, Reaction, SlotMachine
from grid.window import Alarm, MarketView, WindowChange


@dataclass(frozen=True, slots=True)
class Requests:
    """What the group wants sent: intents to the order desk, alarms and perhaps a plea for the price to the feed."""

    intents: tuple[Intent, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    unknown_levels: tuple[SlotKey, ...] = ()
    """Levels whose state in the book is not known here: ask the desk."""
    needs_price: bool = False


class SlotGroup:
    """The levels of one symbol with `level mod modulus == remainder`, of every generation.

    `older` are the ladders besides the present one: older generations, and the other side of a neutral grid.
    """

    def __init__(
        self,
        *,
        ladder: Ladder,
        policy: GridPolicy,
        instrument: Instrument,
        remainders: frozenset[int],
        modulus: int,
        older: tuple[Ladder, ...] = (),
    ) -> None:
        self._ladder = ladder
        self._older = {one.generation: one for one in older}
        self._policy = policy
        self._instrument = instrument
        self._remainders = remainders
        self._modulus = modulus
        self._machines: dict[SlotKey, SlotMachine] = {}
        self._view: MarketView | None = None
        self._standing = Standing(symbol=ladder.symbol, halt_epoch=-1, holds=("restoring",))

    @property
    def view(self) -> MarketView | None:
        """Return the newest price that reached the group."""
        return self._view

    @property
    def standing(self) -> Standing:
        """Return the newest word on holds."""
        return self._standing

    def versions(self) -> tuple[tuple[SlotKey, int], ...]:
        """Return what is known here: of each level the version of its state, 0 where nothing was ever told."""
        states = ((key, self._machines[key].state) for key in sorted(self._machines))
        return tuple((key, state.version if state is not None else 0) for key, state in states)

    def serves(self, level: int) -> bool:
        """Whether the level belongs to this group."""
        return level % self._modulus in self._remainders

    def on_window(self, change: WindowChange, now_ms: int) -> Requests:
        """Take a window difference of the feed; older versions only fill in what newer ones did not touch.

        One of another ladder is older, or newer, than what this group serves: its levels are not ours.
        """
        if change.view.generation != self._ladder.generation:
            return Requests()
        if self._view is None or change.view.version >= self._view.version:
            self._view = change.view
        keys = {self._key(level) for level in change.levels if self.serves(level)}
        # Levels of older generations lie elsewhere: the feed cannot name them, and they are few.
        keys.update(key for key in self._machines if key.generation != self._ladder.generation)
        return self._evaluate(sorted(keys), now_ms)

    def on_told(self, told: Told, now_ms: int) -> Requests:
        """Take the desk's word about one slot."""
        changed = self._take(told.standing)
        machine = self._machine(told.state.key)
        reaction = machine.on_told(told, self._standing, self._view, now_ms)
        requests = _collect([reaction])
        if not changed:
            return requests
        others = [key for key in self._machines if key != told.state.key]
        return _join(requests, self._evaluate(others, now_ms))

    def on_standing(self, standing: Standing, now_ms: int) -> Requests:
        """Take a broadcast of holds."""
        if not self._take(standing):
            return Requests()
        return self._evaluate(list(self._machines), now_ms)

    def on_time(self, now_ms: int, *, everything: bool = False) -> Requests:
        """Evaluate what time alone may have changed; `everything`, once a reconcile period, takes the window too."""
        if not everything:
            due = [k for k, m in self._machines.items() if (m.wakes_at_ms() or now_ms + 1) <= now_ms]
            return self._evaluate(due, now_ms)
        keys = {self._key(level) for level in self._open_levels()} | set(self._machines)
        return self._evaluate(sorted(keys), now_ms)

    def next_wake_ms(self) -> int | None:
        """Return when time alone may next change a decision, None if never: the driver calls `on_time` then."""
        times = [wake for machine in self._machines.values() if (wake := machine.wakes_at_ms()) is not None]
        return min(times, default=None)

    def explain(self) -> list[Explanation]:
        """Return every known level's explanation, highest first."""
        return [machine.explain() for _, machine in sorted(self._machines.items(), reverse=True)]

    def forget_idle(self) -> None:
        """Drop machines of empty levels out of reach, so that a long climb does not collect them."""
        reach = set(self._open_levels())
        for key, machine in list(self._machines.items()):
            state = machine.state
            idle = state is not None and state.order is None and state.lot is None
            if idle and key.level not in reach:
                del self._machines[key]

    def _open_levels(self) -> list[int]:
        if self._view is None:
            return []
        lowest = self._view.top - self._policy.buy_window + 1 - self._policy.entry_slack
        return [level for level in range(lowest, self._view.top + 1) if self.serves(level)]

    def _take(self, standing: Standing) -> bool:
        if standing.halt_epoch <= self._standing.halt_epoch:
            return False
        self._standing = standing
        return True

    def _key(self, level: int) -> SlotKey:
        return SlotKey(symbol=self._ladder.symbol, generation=self._ladder.generation, level=level)

    def _machine(self, key: SlotKey) -> SlotMachine:
        machine = self._machines.get(key)
        if machine is None:
            machine = self._machines[key] = SlotMachine(
                key,
                self._ladder,
                self._policy,
                self._instrument,
                self._older.get(key.generation),
                # Asking first would cost two messages before the first order of a level. With older generations the
                # desk's word is waited for: only it says whether an older lot stands in this level's place.
                presumes_empty=not self._older and key.generation == self._ladder.generation,
            )
        return machine

    def _evaluate(self, keys: Iterable[SlotKey], now_ms: int) -> Requests:
        machines = [self._machine(key) for key in keys]
        reactions = [machine.evaluate(self._standing, self._view, now_ms) for machine in machines]
        found = _collect(reactions)
        # An intent is answered with the book's state as well: no need to ask for it besides.
        unknown = tuple(
            machine.key
            for machine, reaction in zip(machines, reactions, strict=True)
            if machine.state is None and reaction.intent is None
        )
        return Requests(found.intents, found.alarms, unknown, found.needs_price)


def _collect(reactions: list[Reaction]) -> Requests:
    return Requests(
        intents=tuple(r.intent for r in reactions if r.intent is not None),
        alarms=tuple(r.alarm for r in reactions if r.alarm is not None),
        needs_price=any(r.needs_price for r in reactions),
    )


def _join(left: Requests, right: Requests) -> Requests:
    return Requests(
        left.intents + right.intents,
        left.alarms + right.alarms,
        left.unknown_levels + right.unknown_levels,
        left.needs_price or right.needs_price,
    )
