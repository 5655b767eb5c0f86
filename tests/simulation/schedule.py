"""One schedule: everything that a seed decides, drawn before the first step so that each part can be left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from actors.virtual.settings import GridPlan, Latency, WorldSettings
from exchanges.sim.settings import PESSIMISTIC, FillModel, ThroughFill
from grid.ladder import GridSide
from tests.simulation.faults import OWNER_KINDS, Fault, Kind, draw_faults, draw_owner_faults
from tests.simulation.traits import FIRST_BIDS, SECOND_SYMBOL, Trait, draw_traits, with_traits
from tests.simulation.worlds import SYMBOL, example_plan, settings_of

START_MS = 6_000
ACTIVE_MS = 40_000
THIN = FillModel(name="thin", through=ThroughFill.TRADED)
READINGS_APART_MS = 25_000
LAGS_APART_MS = 6_000
RESTARTS_APART_MS = 15_000
_READINGS = (Kind.EMPTY_POSITIONS, Kind.EMPTY_ORDERS, Kind.LAGGING_READING)
_RESTARTS = (Kind.RECONFIGURE, Kind.STOP_KEEP, Kind.STOP_LEAVE_EXITS, Kind.STOP_FLATTEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """The market moves to a best bid by one print of so many steps; `shown` stands at the new best prices."""

    at_ms: int
    bid: int
    quantity: int
    shown: int
    symbol: str = SYMBOL


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What happens to the world of one seed."""

    seed: int
    settings: WorldSettings
    moves: tuple[Move, ...]
    faults: tuple[Fault, ...]
    traits: frozenset[Trait] = frozenset()

    @property
    def end_ms(self) -> int:
        """Return when the faults stop."""
        return START_MS + ACTIVE_MS


def draw_schedule(
    seed: int, *, kinds: tuple[Kind, ...] = tuple(Kind), traits: frozenset[Trait] | None = None
) -> Schedule:
    """Return the schedule of a seed, of a deployment with these traits where they are given."""
    rng, more = Random(f"schedule {seed}"), Random(f"traits {seed}")
    kinds_of_grid = Random(f"kinds {seed}")
    chosen = draw_traits(seed, more, kinds_of_grid)
    if traits is not None:
        chosen = traits
    thin = rng.random() < 0.5
    settings = replace(settings_of(_grid(rng), seed=seed, latency=_latency(rng)), fills=THIN if thin else PESSIMISTIC)
    settings = with_traits(settings, chosen, seed, more, kinds_of_grid)
    plain = tuple(kind for kind in kinds if kind not in OWNER_KINDS)
    faults = draw_faults(rng, from_ms=START_MS // 2, to_ms=START_MS + ACTIVE_MS - 500, kinds=plain)
    moves = _moves(rng, thin=thin)
    if len(settings.grids) > 1:
        moves = tuple(sorted((*moves, *_second_moves(more, thin=thin)), key=lambda move: move.at_ms))
    if settings.ownership is not None:
        owners = Random(f"owners {seed}")
        shared = tuple(kind for kind in OWNER_KINDS if kind in kinds)
        more_faults = draw_owner_faults(owners, from_ms=START_MS, to_ms=START_MS + ACTIVE_MS - 500, kinds=shared)
        faults = tuple(sorted((*faults, *more_faults), key=lambda fault: (fault.at_ms, fault.kind.value, fault.size)))
    return Schedule(seed=seed, settings=settings, moves=moves, faults=_apart(faults), traits=chosen)


def _grid(rng: Random) -> GridPlan:
    plan = example_plan(
        buy_window=rng.choice((2, 3, 3, 4)),
        sell_window=rng.choice((None, 3, 5)),
        max_lots=rng.choice((50, 50, 50, 5)),
        slots_per_actor=rng.choice((1, 2, 8)),
    )
    return replace(plan, side=GridSide.SHORT if rng.random() < 0.25 else GridSide.LONG)


def _latency(rng: Random) -> Latency:
    if rng.random() < 0.3:
        return Latency()
    return Latency(message=(1, 4), request=(2, 40), reply=(2, 40), stream=(1, 30), quote=(1, 10), connect=(20, 200))


def _moves(rng: Random, *, thin: bool) -> tuple[Move, ...]:
    found, now_ms, bid, drift = [], 500, FIRST_BIDS[SYMBOL], 0
    while now_ms < START_MS + ACTIVE_MS:
        if rng.random() < 0.06:
            drift = rng.choice((-60, -25, 0, 0, 25, 60))
        if now_ms > START_MS:
            bid = max(2960_00, min(3040_00, bid + drift + round(rng.gauss(0, 55))))
        quantity = rng.randint(1, 30) if thin else rng.choice((1, 5, 20, 10_000))
        found.append(Move(at_ms=now_ms, bid=bid, quantity=quantity, shown=rng.choice((1, 1, 3, 50))))
        now_ms += rng.randint(60, 500)
    return tuple(found)


def _second_moves(rng: Random, *, thin: bool) -> tuple[Move, ...]:
    """Return the moves of the other market: rarer, of its own mind."""
    found, now_ms, bid = [], 600, FIRST_BIDS[SECOND_SYMBOL]
    while now_ms < START_MS + ACTIVE_MS:
        if now_ms > START_MS:
            bid = max(147_00, min(153_00, bid + round(rng.gauss(0, 12))))
        quantity = rng.randint(1, 60) if thin else rng.choice((2, 20, 10_000))
        found.append(Move(at_ms=now_ms, bid=bid, quantity=quantity, shown=rng.choice((1, 3, 50)), symbol=SECOND_SYMBOL))
        now_ms += rng.randint(200, 1_500)
    return tuple(found)


def _apart(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Keep wrong readings apart, since the rules believe the same answer when it comes twice; and new starts."""
    kept, last_ms, last_empty_ms, restart_ms = [], -READINGS_APART_MS, -READINGS_APART_MS, -RESTARTS_APART_MS
    for fault in faults:
        if fault.kind in _READINGS:
            if fault.at_ms - last_ms < LAGS_APART_MS or fault.at_ms - last_empty_ms < READINGS_APART_MS:
                continue
            last_ms = fault.at_ms
            if fault.kind is not Kind.LAGGING_READING:
                last_empty_ms = fault.at_ms
        if fault.kind in _RESTARTS:
            if fault.at_ms - restart_ms < RESTARTS_APART_MS:
                continue
            restart_ms = fault.at_ms
        kept.append(fault)
    return tuple(kept)
