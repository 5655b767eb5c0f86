"""The lease in Redis: a watched read, the common judgement, and a write that fails where another came between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import redis.asyncio as aredis
from redis.exceptions import RedisError, WatchError

from actors.ownership.register import Claim, Held, Record, Verdict, judge, released
from actors.ownership.store import StoreUnreachable

Decide = Callable[[Record | None, int, str], Record | None]

PREFIX = "gridmesh:lease:"
TRIES = 8


class RedisLeases:
    """One key an account, without a time to live: an ended lease is remembered.

    Times are Redis's own. A server that was started anew, or a replica that was promoted, has another run id: it may
    lack the last renewals, and is judged as a store that may have forgotten.
    """

    def __init__(self, url: str, where: str, *, timeout_s: float = 2.0) -> None:
        self.where = where
        self._timeout_s = timeout_s
        self._url = url
        self._client = self._connect()

    async def claim(self, account: str, claim: Claim) -> Verdict:
        """Return the verdict."""
        verdicts: list[Verdict] = []

        def decide(record: Record | None, now_ms: int, life: str) -> Record | None:
            verdict, kept = judge(record, claim, now_ms, life)
            verdicts.append(verdict)
            return kept

        await self._change(account, decide)
        return verdicts[-1] if verdicts else Held(holder=None, token="", left_ms=0, renewals=0)

    async def release(self, account: str, token: str) -> None:
        """Give a lease back."""
        await self._change(account, lambda record, now_ms, _: released(record, token, now_ms))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _change(self, account: str, decide: Decide) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                for _ in range(TRIES):
                    if await self._try(PREFIX + account, decide):
                        return
        except (RedisError, OSError, TimeoutError) as error:
            # Its words may hold the address with its password: only the kind is told.
            raise StoreUnreachable(f"{self.where} does not answer ({type(error).__name__})") from None
        except RuntimeError as error:
            # uvloop's word for a socket that was closed meanwhile. The pool would hand it out again and again.
            self._client = self._connect()
            raise StoreUnreachable(f"{self.where} has closed the connection") from error
        raise StoreUnreachable(f"{self.where}: others changed the lease {TRIES} times meanwhile")

    def _connect(self) -> aredis.Redis:
        wait_s = self._timeout_s
        return aredis.Redis.from_url(
            self._url, socket_timeout=wait_s, socket_connect_timeout=wait_s, single_connection_client=False
        )

    async def _try(self, key: str, decide: Decide) -> bool:
        async with self._client.pipeline(transaction=True) as pipe:
            try:
                await pipe.watch(key)
                text = await pipe.get(key)
                life = str((await pipe.info("server"))["run_id"])
                seconds, micros = await pipe.time()
                record = Record.loads(text) if text is not None else None
                kept = decide(record, int(seconds) * 1000 + int(micros) // 1000, life)
                if kept is None:
                    return True
                pipe.multi()  # type: ignore[no-untyped-call]
                pipe.set(key, kept.dumps())
                await pipe.execute()
                return True
            except WatchError:
                return False
