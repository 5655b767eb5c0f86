"""API keys of a simulated venue's accounts, and the book in which a protocol looks them up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

KEY_LENGTH_MIN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of an account. Exactly one of `secret` (HMAC) and `public_key_pem` (Ed25519) is set.

    `passphrase` is for those protocols that ask for one.
    """

    key: str
    account: str
    secret: str = field(default="", repr=False)
    public_key_pem: str = ""
    passphrase: str = field(default="", repr=False)

    @property
    def may_log_on(self) -> bool:
        """Say whether Binance's `session.logon` takes this key: it takes Ed25519 keys only."""
        return self.public_key_pem != ""


class KeyBook:
    """The API keys that the venue knows."""

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        self._keys = {key.key: key for key in keys}

    def find(self, api_key: str) -> ApiKey | None:
        """Return the key, or None where the venue does not know it."""
        return self._keys.get(api_key)
