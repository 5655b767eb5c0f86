"""Tokens by which sockets are opened: each good for a while, for one account or for anybody."""

from __future__ import annotations

import random
import string

_LETTERS = string.ascii_letters + string.digits


class Tokens:
    """The tokens alive now."""

    def __init__(self, *, validity_ms: int, rng: random.Random) -> None:
        self._validity_ms = validity_ms
        self._rng = rng
        self._known: dict[str, tuple[str, int]] = {}

    def make(self, account: str, now_ms: int) -> str:
        """Return a new token; an empty account is anybody."""
        self._known = {token: held for token, held in self._known.items() if now_ms < held[1]}
        token = "".join(self._rng.choices(_LETTERS, k=48))
        self._known[token] = (account, now_ms + self._validity_ms)
        return token

    def renew(self, token: str, account: str, now_ms: int) -> bool:
        """Let a token of the account live on; False where it is none, or no longer."""
        if self.account_of(token, now_ms) != account:
            return False
        self._known[token] = (account, now_ms + self._validity_ms)
        return True

    def account_of(self, token: str, now_ms: int) -> str | None:
        """Return whose token it is; None where it is none, or no longer."""
        account, until_ms = self._known.get(token, ("", 0))
        return account if now_ms < until_ms else None

    def expire(self, account: str) -> None:
        self._known = {token: held for token, held in self._known.items() if held[0] != account}

    def forget(self, token: str) -> None:
        self._known.pop(token, None)
