"""What must not be shown: keys that name a secret, and values that look like one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "(hidden)"

_SECRET_KEY = re.compile(
    r"(^|_|-)(api_?key|apikey|api_?secret|secret|secret_?key|password|passwd|passphrase|token|private_?key|signature|listen_?key"
    r"|authorization|x-mbx-apikey|credentials?)($|_|-)",
    re.IGNORECASE,
)
_NAMES_A_PLACE = re.compile(r"_(env|file|path)$", re.IGNORECASE)
_LONG_CODE = re.compile(
    r"(?<![A-Za-z0-9+/=_.-])(?=[A-Za-z0-9+/=_-]*[0-9])(?=[A-Za-z0-9+/=_-]*[A-Za-z])[A-Za-z0-9+/=_-]{32,}"
)


def looks_secret(key: str) -> bool:
    """Whether a key's name says that its value is secret."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
    return bool(_SECRET_KEY.search(spaced) or _SECRET_KEY.search(key))


def may_be_secret(value: object) -> bool:
    """Whether a text holds something as long and mixed as an API key."""
    return isinstance(value, str) and bool(_LONG_CODE.search(value))


def redacted(value: Any, secrets: frozenset[str] = frozenset(), key: str = "") -> Any:
    """Return a copy without secrets: those under a telling key, and every known one wherever it stands in a text."""
    if key and looks_secret(key) and not _NAMES_A_PLACE.search(key):
        return HIDDEN if value is not None else None
    if isinstance(value, Mapping):
        return {name: redacted(inner, secrets, str(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner, secrets) for inner in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
    return value
