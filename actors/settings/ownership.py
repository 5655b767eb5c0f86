"""Where the lease on the account lies, and the bounds by which one writer is kept."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, model_validator

from actors.settings.fields import Exact, File, Section, broken
from actors.settings.venue import ENV_NAME

LOCAL, CLUSTER = "local", "cluster"
SCHEMES = ("redis", "rediss", "postgresql", "sqlite")


class OwnershipSettings(Section):
    """One writer an account: on this host by a file lock, on several hosts by a lease in a store that all reach."""

    store: str | None = Field(
        None,
        description="`local`, `cluster`, or the store's URL without a password: redis://, postgresql://, sqlite:///file",
    )
    store_env: str | None = Field(
        None,
        pattern=r"^[A-Z_][A-Z0-9_]{0,63}$",
        description="name of the environment variable that holds the store's URL, password and all",
        json_schema_extra=ENV_NAME,
    )
    store_file: File | None = Field(None, description="file that holds the store's URL; mode 0600, yours")
    lease_s: Exact = Field(Decimal(15), ge=2, le=600, description="length of a lease, in s")
    skew_s: Exact = Field(
        Decimal(2), gt=0, le=60, description="most by which all clocks may disagree within one lease, in s"
    )
    standby: bool = Field(False, description="wait for an account that is held, as gridmesh run --standby does")

    @property
    def is_local(self) -> bool:
        """Whether there is no shared store: one host is kept to one writer, another host is only detected."""
        return self.store in (None, LOCAL) and self.store_env is None and self.store_file is None

    @model_validator(mode="after")
    def _rules(self) -> OwnershipSettings:
        broken(self._broken())
        return self

    def _broken(self) -> list[tuple[str, object, str]]:
        found: list[tuple[str, object, str]] = []
        named = [key for key in ("store", "store_env", "store_file") if getattr(self, key) is not None]
        if len(named) > 1:
            found.append((named[1], "(hidden)", f"excludes {named[0]}: name one store, not two"))
        if self.store not in (None, LOCAL, CLUSTER) and (rule := store_rule(self.store or "")):
            found.append(("store", "(hidden)" if set("@?") & set(self.store or "") else self.store, rule))
        if self.store is not None and _password(self.store):
            rule = "must not carry a password: name the variable (store_env) or the file (store_file) that holds it"
            found.append(("store", "(hidden)", rule))
        if self.skew_s * 2 > self.lease_s:
            found.append(("skew_s", self.skew_s, f"can be at most half of lease_s, {self.lease_s}"))
        return found


def store_rule(url: str) -> str:
    """Return what is wrong with a store's URL, nothing where it is sound."""
    try:
        parts = urlsplit(url)
        port_is_sound = parts.port is None or parts.port > 0
    except ValueError:
        port_is_sound, parts = False, urlsplit("")
    is_file = parts.scheme == "sqlite" and len(parts.path) > 1
    if parts.scheme not in SCHEMES or not port_is_sound or not (parts.hostname or is_file):
        kinds = ", ".join(f"{scheme}://" for scheme in SCHEMES)
        return f"has to be local, cluster or a URL that starts with one of {kinds}"
    if any("pass" in name.lower() for name in parse_qs(parts.query)):
        return (
            "must not carry a password behind the question mark, where messages would show it: put it before the host"
        )
    return ""


def database_rule(url: str) -> str:
    """Return what is wrong with a journal's URL in a configuration, nothing where it is sound."""
    if store_rule(url) or urlsplit(url).scheme != "postgresql":
        return "has to be a URL that starts with postgresql://"
    if _password(url):
        return "must not carry a password: name the variable (url_env) or the file (url_file) that holds it"
    return ""


def _password(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:
        return False
