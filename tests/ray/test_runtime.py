"""What Ray really gives, and what the runtime makes of it: order, nothing lost over a kill, a slot that comes back."""

from __future__ import annotations

import os
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from actors.actor_names import SlotLayout
from actors.mail.lane import IN_FLIGHT_MAX
from actors.runtime.plan import ActorPlan
from tests.ray.conftest import DEPLOYMENT

if TYPE_CHECKING:
    from actors.runtime.cluster import Cluster

GATEWAY, FEED = "gateway/test/main", "feed/ETHUSDT"
PATIENCE_S = 180.0
LAYOUT = SlotLayout(symbol="ETHUSDT", modulus=6)


def plan(name: str, build: str, **arguments: Any) -> ActorPlan:
    kind = build.rpartition(":")[2].title().replace("_", "")
    return ActorPlan(name=name, deployment=DEPLOYMENT, kind=kind, build=build, arguments=arguments)


def own(name: str, build: str, **arguments: Any) -> ActorPlan:
    return plan(name, f"tests.ray.actors_for_tests:{build}", **arguments)


def slot(index: int) -> ActorPlan:
    return plan(
        LAYOUT.name(index),
        "actors.runtime.builders:grid_slot",
        layouts=(LAYOUT,),
        index=index,
        gateway=GATEWAY,
        feed=FEED,
        reconcile_ms=10_000,
        first_reconcile_ms=10_000,
    )


@contextmanager
def actors(cluster: Cluster, *plans: ActorPlan) -> Iterator[dict[str, Any]]:
    """Create actors, wait until each answers, and end them."""
    handles = {item.name: cluster.create(item) for item in plans}
    try:
        for name in handles:
            until(lambda n=name: answer(handles[n], "snapshot") is not None)  # type: ignore[misc]
        yield handles
    finally:
        cluster.end_actors(list(handles))


def answer(handle: Any, question: str, *arguments: Any) -> Any:
    """Return the answer, None where the actor is starting or away."""
    import ray
    from ray.exceptions import GetTimeoutError, RayActorError

    try:
        return ray.get(handle.ask.remote(question, *arguments), timeout=60)
    except (RayActorError, GetTimeoutError):
        return None


def process_of(handle: Any, but: int | None = None) -> int:
    """Return the process of its present life, or of the next that is not this one."""
    import ray
    from ray.exceptions import GetTimeoutError, RayActorError

    end = time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < end, "it has no life that answers"
        try:
            found = int(ray.get(handle.process.remote(), timeout=60))
        except (RayActorError, GetTimeoutError):
            continue
        if found != but:
            return found
        time.sleep(0.02)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


def all_acknowledged(poster: Any) -> bool:
    seen = answer(poster, "snapshot")
    return seen is not None and seen["unacknowledged"] == 0


def lines(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def test_messages_arrive_once_and_in_order(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "seen"
    with actors(
        cluster, own("recorder", "recorder", path=str(path)), own("poster", "poster", receiver="recorder")
    ) as a:
        for first in range(0, 600, 20):
            answer(a["poster"], "post", first, 20)
        until(lambda: all_acknowledged(a["poster"]))

        assert lines(path) == list(range(600))


def test_nothing_is_lost_over_two_kills_of_the_receiver(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "seen"
    with actors(
        cluster, own("recorder", "recorder", path=str(path)), own("poster", "poster", receiver="recorder")
    ) as a:
        for first in range(0, 600, 20):
            if first not in (100, 400):
                answer(a["poster"], "post", first, 20)
                continue
            life = process_of(a["recorder"])
            os.kill(life, signal.SIGSTOP)  # whatever else it does, these it does not acknowledge
            answer(a["poster"], "post", first, 20)
            assert not all_acknowledged(a["poster"])
            os.kill(life, signal.SIGKILL)
            until(lambda: answer(a["recorder"], "snapshot") is not None) if first == 100 else None
        until(lambda: all_acknowledged(a["poster"]))

        found = lines(path)
        assert sorted(set(found)) == list(range(600))
        # Written and not yet acknowledged when the kill came: at most what was under way, each time.
        assert len(found) - 600 <= 2 * IN_FLIGHT_MAX


def test_a_message_to_nobody_waits_for_its_receiver(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "seen"
    with actors(cluster, own("poster", "poster", receiver="late recorder")) as a:
        answer(a["poster"], "post", 0, 5)
        assert answer(a["poster"], "snapshot")["unacknowledged"] == 5

        with actors(cluster, own("late recorder", "recorder", path=str(path))):
            until(lambda: all_acknowledged(a["poster"]))
            assert lines(path) == [0, 1, 2, 3, 4]


def test_an_actor_that_breaks_over_a_message_restarts_and_gets_the_ones_behind_it(
    cluster: Cluster, tmp_path: Path
) -> None:
    path = tmp_path / "taken"
    with actors(
        cluster, own("breaking", "breaking", path=str(path)), own("poster", "poster", receiver="breaking")
    ) as a:
        before = process_of(a["breaking"])
        answer(a["poster"], "post", 3, 1)
        until(lambda: all_acknowledged(a["poster"]))
        assert process_of(a["breaking"], but=before) != before
        answer(a["poster"], "post", 4, 2)
        until(lambda: all_acknowledged(a["poster"]))

        assert lines(path) == [4, 5]


def test_a_killed_slot_comes_back_and_pulls_its_setup(cluster: Cluster) -> None:
    with actors(cluster, own(GATEWAY, "small_gateway"), slot(0)) as a:
        name = LAYOUT.name(0)
        until(lambda: (answer(a[name], "snapshot") or {}).get("phase") == "serving")
        before = process_of(a[name])

        began = time.monotonic()
        os.kill(before, signal.SIGKILL)
        process_of(a[name], but=before)
        until(lambda: (answer(a[name], "snapshot") or {}).get("phase") == "serving")
        print(f"\nslot killed to serving again: {time.monotonic() - began:.2f} s")

        assert answer(a[GATEWAY], "snapshot")["asked"].count(name) >= 2


def test_a_second_creation_finds_the_living_actor(cluster: Cluster) -> None:
    with actors(cluster, slot(0)) as a:
        again = cluster.create(slot(0))

        assert process_of(again) == process_of(a[LAYOUT.name(0)])


def test_slots_are_named_counted_light_and_idle(cluster: Cluster) -> None:
    from ray.util import list_named_actors

    plans = [own(GATEWAY, "small_gateway"), *(slot(index) for index in range(LAYOUT.count))]
    began = time.monotonic()
    with actors(cluster, *plans) as a:
        started_s = time.monotonic() - began
        until(lambda: all((answer(a[name], "snapshot") or {}).get("phase") == "serving" for name in LAYOUT.names()))
        processes = [psutil.Process(process_of(a[name])) for name in LAYOUT.names()]
        time.sleep(2)
        before = [process.cpu_times() for process in processes]
        time.sleep(5)
        after = [process.cpu_times() for process in processes]

        idle = [(y.user + y.system - x.user - x.system) / 5 * 100 for x, y in zip(before, after, strict=True)]
        memory = [process.memory_full_info().uss / 2**20 for process in processes]
        print(
            f"\n{len(plans)} actors in {started_s:.2f} s; slot process {statistics.mean(memory):.0f} MB (USS)", end="; "
        )
        print(f"idle {statistics.mean(idle):.2f} % of a core each")
        assert set(LAYOUT.names()) <= set(list_named_actors())
        assert len({process.pid for process in processes}) == LAYOUT.count == 6


def test_a_slot_process_loads_no_venue_library(cluster: Cluster) -> None:
    with actors(cluster, slot(0)) as a:
        maps = {region.path for region in psutil.Process(process_of(a[LAYOUT.name(0)])).memory_maps()}
        mapped = {name for name in ("pydantic_core", "aiohttp", "ccxt", "orjson", "sqlalchemy") if name in str(maps)}

        # Ray itself may bring some of these into every worker; ours must not add the venue's.
        assert not mapped & {"ccxt", "sqlalchemy"}
        print(f"\nmapped by a slot process: {sorted(mapped)}")


@pytest.mark.parametrize("name", ["RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH"])
def test_the_token_is_on_and_private(cluster: Cluster, name: str) -> None:
    assert name in os.environ
    assert cluster.token_path is not None
    assert cluster.token_path.stat().st_mode & 0o077 == 0
