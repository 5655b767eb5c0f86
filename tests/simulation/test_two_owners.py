"""Two hosts, one account: who dies or stalls is replaced, and whatever he does afterwards changes nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from actors.ownership.lease import LeasePhase, LeaseTerms
from actors.virtual.agenda import EPOCH_MS
from actors.virtual.mishaps import NO_FATE, CallFate, CallKind, Calm, Mishaps, StallPoint
from actors.virtual.settings import HostPlan, OwnershipPlan
from actors.virtual.stamp import Stamp
from actors.virtual.world import World
from grid.client_id import decode
from grid.order import Side
from tests.simulation.worlds import SYMBOL, example_plan, move, quote, resting, settings_of, settle
from tests.simulation.writers import Writers

TERMS = LeaseTerms(lease_ms=6_000, skew_ms=500, recv_window_ms=2_000)
HOSTS = (HostPlan(name="A", starts_ms=0), HostPlan(name="B", starts_ms=1_000))
TAKE_OVER_MS = 25_000
"""The lease, what may still arrive, a first comparison, and the rest after which entries go out."""


class StallsOnce(Calm):
    """The owner stops at a point, at the first occasion after it was told to."""

    def __init__(self, point: StallPoint, for_ms: int) -> None:
        self._point = point
        self._for_ms = for_ms
        self.is_armed = False

    def stall(self, point: StallPoint) -> int:
        is_now = self.is_armed and point is self._point
        self.is_armed = self.is_armed and not is_now
        return self._for_ms if is_now else 0


class HearsNothing(Calm):
    """No answer of the lease store comes to a host, while it is told so."""

    deaf = ""

    def call(self, kind: CallKind, symbol: str, closing: bool) -> CallFate:
        return CallFate(is_reply_lost=True) if kind is CallKind.LEASE and symbol == self.deaf else NO_FATE


def two_hosts(mishaps: Mishaps | None = None) -> tuple[World, Writers]:
    settings = replace(settings_of(example_plan()), ownership=OwnershipPlan(terms=TERMS, hosts=HOSTS))
    world = World(settings, mishaps=mishaps)
    writers = Writers(world, lambda: 0)
    quote(world, 3000_00)
    world.start()
    settle(world)
    return world, writers


def epochs(world: World) -> set[int]:
    found = (decode(order.client_id, SYMBOL) for order in world.venue.engine.read.open_orders("main", SYMBOL))
    return {identity.owner_epoch for identity in found if identity is not None}


def stage(world: World) -> tuple[str, int]:
    assert world.gateway is not None
    return world.leader.name, world.gateway.owner_epoch


def test_a_host_that_loses_power_is_replaced_with_every_lot_and_comes_back_to_wait() -> None:
    world, writers = two_hosts()
    move(world, 2997_50)
    lots = sorted((lot.quantity, lot.cost, lot.target) for _, lot in world.book.symbol(SYMBOL).lots())
    exits = resting(world, Side.SELL)
    assert (len(lots), len(exits)) == (1, 1)

    world.leader.fall(again_ms=15_000, is_dark=True)
    settle(world, TAKE_OVER_MS)

    assert stage(world) == ("B", 2)
    assert sorted((lot.quantity, lot.cost, lot.target) for _, lot in world.book.symbol(SYMBOL).lots()) == lots
    assert resting(world, Side.SELL) == exits
    assert [price for price, _ in resting(world, Side.BUY)] == [Decimal(2996), Decimal(2994), Decimal(2992)]
    first = world.deployments[0]
    assert first.is_up
    assert first.gateway is None
    assert first.owner is not None
    assert "B" in first.owner.claimant.waits_for()
    assert list(writers.breaches()) == []


def test_an_owner_that_stalls_for_a_moment_goes_on_as_the_same_owner() -> None:
    world, writers = two_hosts()
    assert world.leader.process is not None

    world.leader.process.stop(1_500)
    move(world, 2997_50)

    assert stage(world) == ("A", 1)
    assert len(resting(world, Side.SELL)) == 1
    assert epochs(world) == {1}
    assert list(writers.breaches()) == []


def test_what_was_committed_before_a_long_stall_is_not_sent_after_it_and_the_successor_takes_it_back() -> None:
    mishaps = StallsOnce(StallPoint.AFTER_COMMIT, 30_000)
    world, writers = two_hosts(mishaps)
    mishaps.is_armed = True
    move(world, 2997_50, settle_ms=TAKE_OVER_MS)  # the exit of 2998 is committed, and the owner stops
    assert stage(world) == ("B", 2)
    intended = [body["client_id"] for kind, _, body in world.journal if kind == "intent"]
    unheard = [one for one in intended if not world.book.orders[one].order_id]
    (never,) = (one for one in unheard if epoch_of(one) == 1)
    stalled = world.deployments[0].process

    settle(world, 20_000)

    assert stalled is not None
    assert not stalled.is_alive(), "the one that came back has ended"
    assert never not in {order.client_id for order in world.venue.engine.read.open_orders("main", SYMBOL)}
    assert len(resting(world, Side.SELL)) == 1
    assert list(writers.breaches()) == []


def test_a_request_that_was_stopped_before_the_socket_is_too_old_when_it_comes() -> None:
    mishaps = StallsOnce(StallPoint.AT_WIRE, 30_000)
    world, writers = two_hosts(mishaps)
    mishaps.is_armed = True
    taken: list[str] = []
    hear = world.venue.on_write
    assert hear is not None

    def note(stamp: Stamp) -> None:
        taken.append(stamp.host)
        hear(stamp)

    world.venue.on_write = note
    move(world, 2997_50, settle_ms=TAKE_OVER_MS + 20_000)

    assert stage(world) == ("B", 2)
    assert taken
    assert set(taken) == {"B"}
    assert len(resting(world, Side.SELL)) == 1
    assert list(writers.breaches()) == []


def granted_to_b(world: World) -> int:
    """Let the first host go dark, and the store grant the account to the second; return when A's lease ended."""
    world.leader.fall(again_ms=60_000, is_dark=True)
    assert world.leases is not None
    for _ in range(TAKE_OVER_MS // 10):
        record = world.leases.record
        if record is not None and record.token.startswith("B."):
            break
        settle(world, 10)
    assert world.leader.name == "A", "nobody has begun yet"
    return next(ends_ms for token, ends_ms in world.leases.ends_ms.items() if token.startswith("A.")) - EPOCH_MS


def test_a_claimant_that_dies_in_its_wait_does_not_shorten_the_wait_of_its_next_life() -> None:
    world, writers = two_hosts()
    ended_ms = granted_to_b(world)
    settle(world, 200)
    second = world.deployments[1]
    assert second.owner is not None
    assert second.owner.claimant.lease.phase(second.owner.now_ms()) is LeasePhase.WAITING_OUT

    second.fall(again_ms=100)
    world.run_until(ended_ms + TERMS.wait_out_ms - 1)
    assert second.is_up
    assert world.leader.name == "A", "what A sent may still arrive"
    settle(world, TAKE_OVER_MS)

    assert stage(world) == ("B", 2)
    assert list(writers.breaches()) == []


def test_a_claimant_that_does_not_hear_that_it_was_granted_waits_all_the_same() -> None:
    mishaps = HearsNothing()
    world, writers = two_hosts(mishaps)
    mishaps.deaf = "B"
    ended_ms = granted_to_b(world)
    mishaps.deaf = ""
    world.run_until(ended_ms + TERMS.wait_out_ms - 1)
    assert world.leader.name == "A", "what A sent may still arrive"
    settle(world, TAKE_OVER_MS)

    assert stage(world) == ("B", 2)
    assert list(writers.breaches()) == []


def epoch_of(client_id: str) -> int:
    identity = decode(client_id, SYMBOL)
    assert identity is not None
    return identity.owner_epoch
