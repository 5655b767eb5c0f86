"""Listen keys: one for an account, alive for an hour after each renewal, shared by all its connections."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass

from exchanges.sim.binance.errors import unknown_listen_key

_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenKey:
    key: str
    account: str
    expires_ms: int


class ListenKeys:
    """The keys alive now. `validity_ms` is the venue's 60 minutes unless a test wants it short."""

    def __init__(self, *, validity_ms: int, rng: random.Random) -> None:
        self._validity_ms = validity_ms
        self._rng = rng
        self._by_account: dict[str, ListenKey] = {}

    def start(self, account: str, now_ms: int) -> str:
        """Return the account's key, renewed; a second start gives the same key."""
        held = self._by_account.get(account)
        key = held.key if held and now_ms < held.expires_ms else "".join(self._rng.choices(_LETTERS, k=64))
        self._by_account[account] = ListenKey(key=key, account=account, expires_ms=now_ms + self._validity_ms)
        return key

    def renew(self, account: str, now_ms: int) -> str:
        held = self._by_account.get(account)
        if held is None or now_ms >= held.expires_ms:
            raise unknown_listen_key()
        return self.start(account, now_ms)

    def close(self, account: str) -> str | None:
        """Forget the account's key and return it, if there was one."""
        held = self._by_account.pop(account, None)
        return held.key if held else None

    def account_of(self, key: str, now_ms: int) -> str | None:
        for held in self._by_account.values():
            if held.key == key and now_ms < held.expires_ms:
                return held.account
        return None

    def key_of(self, account: str, now_ms: int) -> str | None:
        held = self._by_account.get(account)
        return held.key if held and now_ms < held.expires_ms else None

    def take_expired(self, now_ms: int) -> list[ListenKey]:
        """Remove and return the keys that ran out by `now_ms`."""
        expired = [held for held in self._by_account.values() if now_ms >= held.expires_ms]
        for held in expired:
            del self._by_account[held.account]
        return expired

    def expire(self, account: str) -> ListenKey | None:
        """End the account's key at once, as the venue does now and then before its hour is over."""
        return self._by_account.pop(account, None)
