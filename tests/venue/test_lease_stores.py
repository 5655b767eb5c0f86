"""The lease in real stores: Redis, PostgreSQL and an SQLite file, each in its own words, judged alike."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import uvloop

from actors.file_lock import FileLock
from actors.ownership.errors import AccountTaken, Fenced, LeaseForgotten
from actors.ownership.lease import Lease, LeasePhase, LeaseTerms
from actors.ownership.ownership import LeaseOwnership
from actors.ownership.redis_store import PREFIX, RedisLeases
from actors.ownership.register import Claim, Granted, Held, Holder, Record, Stage
from actors.ownership.store import LeaseStore, StoreUnreachable
from actors.ownership.stores import lease_store
from actors.settings.account import load_settings
from tests.manual_clock import ManualClock
from tests.store_servers import PASSWORD, RedisServer, postgres_server, redis_server

LEASE_MS = 2_000
"""Longer than a slow machine takes from one claim to the next."""
CONFIG = Path(__file__).resolve().parents[2] / "configs" / "practice.yaml"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as started:
        yield started


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with postgres_server() as url:
        yield url


def store_of(url: str) -> LeaseStore:
    """Return the store as a gateway builds it from its settings."""
    environment = {"GRIDMESH__OWNERSHIP__STORE_ENV": "LEASES", "LEASES": url}
    return lease_store(load_settings(CONFIG, environment), environment)


@pytest.fixture(params=["redis", "postgresql", "sqlite"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    match request.param:
        case "redis":
            server: RedisServer = request.getfixturevalue("redis")
            return server.url
        case "postgresql":
            found: str = request.getfixturevalue("postgres")
            return found
        case _:
            return f"sqlite:///{tmp_path / 'leases.sqlite'}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[LeaseStore]:
    made = store_of(url)
    yield made
    await made.close()


def claim(token: str, stage: Stage = Stage.NEW, *, lease_ms: int = LEASE_MS, replaces: str = "") -> Claim:
    holder = Holder(deployment=token, host="here", pid=7, since_ms=1)
    return Claim(token=token, holder=holder, stage=stage, lease_ms=lease_ms, quarantine_ms=lease_ms, replaces=replaces)


async def answered(store: LeaseStore, account: str, wanted: Claim) -> Granted | Held:
    """Claim until the store answers, as a gateway does."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await store.claim(account, wanted)
            except StoreUnreachable:
                await asyncio.sleep(0.05)


async def until_granted(store: LeaseStore, account: str, wanted: Claim) -> Granted:
    async with asyncio.timeout(60):
        while True:
            verdict = await answered(store, account, wanted)
            if isinstance(verdict, Granted):
                return verdict
            await asyncio.sleep(0.05)


async def test_a_store_that_knows_nothing_grants_nothing_at_first_and_then_one_at_a_time(store: LeaseStore) -> None:
    first = await answered(store, "one", claim("a"))
    assert isinstance(first, Held)
    assert first.holder is None

    await until_granted(store, "one", claim("a"))
    assert await answered(store, "one", claim("a", Stage.HOLDING, lease_ms=60_000)) == Granted()
    second = await answered(store, "one", claim("b"))
    assert isinstance(second, Held)
    assert second.holder == claim("a").holder
    assert 0 < second.left_ms <= 60_000


async def test_an_ended_lease_passes_on_and_its_former_holder_is_told(store: LeaseStore) -> None:
    await answered(store, "two", claim("a", Stage.HOLDING))
    passed = await until_granted(store, "two", claim("b", lease_ms=60_000))

    assert passed.ended_ms_ago is not None
    late = await answered(store, "two", claim("a", Stage.LAPSED))
    assert isinstance(late, Held)
    assert late.holder is not None
    assert late.holder.deployment == "b"


async def test_a_lease_given_back_passes_on_at_once_but_is_remembered(store: LeaseStore) -> None:
    await answered(store, "three", claim("a", Stage.HOLDING, lease_ms=60_000))
    await store.release("three", "somebody else's")
    assert isinstance(await answered(store, "three", claim("b")), Held)

    await store.release("three", "a")
    verdict = await answered(store, "three", claim("b"))

    assert isinstance(verdict, Granted)
    assert verdict.ended_ms_ago is not None


async def test_of_many_at_once_one_is_granted(url: str) -> None:
    with ExitStack():
        stores = [store_of(url) for _ in range(8)]
        await answered(stores[0], "four", claim("former", Stage.HOLDING))
        await asyncio.sleep(LEASE_MS / 1000)
        wanted = [claim(f"c{number}", lease_ms=60_000) for number in range(8)]
        answers = await asyncio.gather(
            *(answered(store, "four", one) for store, one in zip(stores, wanted, strict=True))
        )
        for store in stores:
            await store.close()

    granted = [answer for answer in answers if isinstance(answer, Granted)]
    assert len(granted) == 1, answers


async def test_a_redis_that_was_started_anew_grants_nothing_that_it_may_have_forgotten(redis: RedisServer) -> None:
    store = store_of(redis.url)
    await answered(store, "five", claim("a", Stage.HOLDING, lease_ms=60_000))
    redis.kill()
    with pytest.raises(StoreUnreachable) as caught:
        await store.claim("five", claim("b"))
    assert PASSWORD not in str(caught.value)

    redis.forget()
    redis.start()
    refused = await answered(store, "five", claim("b", lease_ms=60_000))
    assert isinstance(refused, Held)
    assert await answered(store, "five", claim("a", Stage.HOLDING)) == Granted(), "a living holder's word is taken"

    redis.kill()
    redis.start()  # its memory is there: the last renewals may not be
    held = await answered(store, "five", claim("b", lease_ms=60_000))
    await store.close()
    assert isinstance(held, Held)
    assert held.holder is not None
    assert held.left_ms > LEASE_MS, "a whole lease from now on"


async def holder_of(server: RedisServer, account: str) -> str:
    """Return whose token the store has for the account."""
    store = store_of(server.url)
    assert isinstance(store, RedisLeases)
    text = await store._client.get(PREFIX + account)
    await store.close()
    return Record.loads(text).token if text else ""


def owner(
    folder: Path,
    url: str,
    name: str,
    clock: ManualClock,
    terms: LeaseTerms,
    *,
    account: str = "six",
    is_patient: bool = False,
) -> LeaseOwnership:
    """An ownership over the real store; its own clock is ours."""
    return LeaseOwnership(
        lock=lambda: FileLock(folder / name),
        store=lambda: store_of(url),
        lease=Lease(terms),
        account=account,
        token=name,
        holder=lambda _: Holder(deployment=name, host=f"host-{name}", pid=11, since_ms=0, place=name),
        now_ms=lambda: clock.ns // 1_000_000,
        is_patient=is_patient,
    )


async def test_a_new_process_behind_the_same_lock_takes_the_dead_one_s_lease_at_once(
    redis: RedisServer, tmp_path: Path
) -> None:
    """As after kill -9: the lock says that the former holder is dead, and the lease would run for minutes yet."""
    terms = LeaseTerms(lease_ms=240_000, skew_ms=200, recv_window_ms=300, margin_ms=100)
    before = store_of(redis.url)
    former = Claim(
        token="dead",
        holder=Holder(deployment="x", host="here", pid=7, since_ms=1, place="here"),
        stage=Stage.HOLDING,
        lease_ms=240_000,
        quarantine_ms=1,
    )
    await before.claim("seven", former)
    elsewhere = owner(tmp_path, redis.url, "there", ManualClock(), terms, account="seven", is_patient=True)
    here = owner(tmp_path, redis.url, "here", ManualClock(), terms, account="seven")
    waiting = asyncio.create_task(elsewhere.take(lambda _: None))
    async with asyncio.timeout(60):
        await here.take(lambda _: None)

    here.fence()
    assert not waiting.done()
    waiting.cancel()
    for one in (here, elsewhere):
        await one.release()
    await before.close()


async def test_a_holder_whom_the_store_forgot_after_his_lease_begins_anew(redis: RedisServer, tmp_path: Path) -> None:
    """Somebody may have held it meanwhile, of whom nobody knows: a new life waits, and raises its epoch."""
    terms = LeaseTerms(lease_ms=1_500, skew_ms=200, recv_window_ms=300, margin_ms=100)
    clock = ManualClock()
    former = owner(tmp_path, redis.url, "forgotten", clock, terms, account="eight")
    taking = asyncio.create_task(former.take(lambda _: None))
    async with asyncio.timeout(60):
        while not taking.done():
            await asyncio.sleep(0.02)
            clock.advance_ms(20)
        clock.advance_ms(1_500)
        redis.kill()
        redis.start()
        with pytest.raises(LeaseForgotten):
            await former.run()
    await former.release()


async def test_an_ownership_refuses_beside_a_living_one_and_is_fenced_when_its_own_ends(
    redis: RedisServer, tmp_path: Path
) -> None:
    terms = LeaseTerms(lease_ms=6_000, skew_ms=200, recv_window_ms=300, margin_ms=100)
    clock, said = ManualClock(), list[str]()
    first, second = (
        owner(tmp_path, redis.url, "first", clock, terms),
        owner(tmp_path, redis.url, "second", ManualClock(), terms),
    )

    async def pass_time() -> None:
        # As fast as the store's own: a slower one would renew too late.
        passed_ms, begun = 0, time.monotonic()
        while True:
            await asyncio.sleep(0.02)
            now_ms = int((time.monotonic() - begun) * 1000)
            clock.advance_ms(now_ms - passed_ms)
            passed_ms = now_ms

    passing = asyncio.create_task(pass_time())
    async with asyncio.timeout(60):
        await first.take(said.append)
        renewing = asyncio.create_task(first.run())
        assert any("knows no holder" in words for words in said), said
        first.fence()
        with pytest.raises(AccountTaken, match=r"deployment first \(host host-first, process 11\)"):
            await second.take(said.append)

        renewing.cancel()
        passing.cancel()
        clock.advance_ms(6_000)  # it stood still, and so did its renewals
        with pytest.raises(Fenced):
            first.fence()
        assert first.picture()["phase"] == LeasePhase.SILENT.value
        assert "password" not in str(first.picture())

        third = owner(tmp_path, redis.url, "third", ManualClock(), terms, is_patient=True)
        taking = asyncio.create_task(third.take(said.append))
        while await holder_of(redis, "six") != "third":  # noqa: ASYNC110 - it is another's word, in another process
            await asyncio.sleep(0.05)
        assert any("deployment first" in words and "to end" in words for words in said), said
        with pytest.raises(AccountTaken, match="deployment third"):
            await first.run()
        taking.cancel()
        for one in (first, second, third):
            await one.release()


def test_a_connection_that_was_closed_under_uvloop_silences_no_more_than_one_claim(redis: RedisServer) -> None:
    async def claims() -> tuple[bool, Granted | Held]:
        store = store_of(redis.url)
        assert isinstance(store, RedisLeases)
        await store.claim("uv", claim("a"))
        (connection,) = store._client.connection_pool._available_connections
        assert connection._writer is not None
        connection._writer.transport.abort()
        is_said = False
        try:
            await store.claim("uv", claim("a"))
        except StoreUnreachable:
            is_said = True
        answer = await store.claim("uv", claim("a"))
        await store.close()
        return is_said, answer

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        is_said, answer = runner.run(claims())

    assert is_said
    assert isinstance(answer, Granted | Held)
