"""Which venue, with which keys, and whether real money is meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic.config import JsonDict

from actors.settings.fields import File, Section, broken
from exchanges import adapters
from exchanges.hosts import is_loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class VenuePlace:
    """Where a venue is: its name, and the addresses or the test network that stand for its own."""

    name: str
    rest_url: str | None = None
    ws_url: str | None = None
    is_testnet: bool = False


ENV_NAME: JsonDict = {
    "rule": "has to be the NAME of an environment variable (capitals, digits, underscores), never the secret"
}


class VenueSettings(Section):
    """The venue and how to reach it. The secrets themselves are never here: see `actors.settings.credentials`."""

    name: str = Field("binanceusdm", description="the venue; `gridmesh venues` lists them")
    rest_url: str | None = Field(None, description="overrides every REST host, e.g. a simulated venue on loopback")
    ws_url: str | None = Field(None, description="overrides every WebSocket host; given together with rest_url")
    api_key_env: str | None = Field(
        None,
        pattern=r"^[A-Z_][A-Z0-9_]{0,63}$",
        description="name of the environment variable that holds the API key",
        json_schema_extra=ENV_NAME,
    )
    api_secret_env: str | None = Field(
        None,
        pattern=r"^[A-Z_][A-Z0-9_]{0,63}$",
        description="name of the environment variable that holds the API secret",
        json_schema_extra=ENV_NAME,
    )
    api_key_file: File | None = Field(None, description="file that holds the API key; mode 0600, yours")
    api_secret_file: File | None = Field(None, description="file that holds the API secret; mode 0600, yours")
    api_passphrase_env: str | None = Field(
        None,
        pattern=r"^[A-Z_][A-Z0-9_]{0,63}$",
        description="name of the environment variable that holds the key's passphrase, where the venue has one",
        json_schema_extra=ENV_NAME,
    )
    api_passphrase_file: File | None = Field(None, description="file that holds the passphrase; mode 0600, yours")
    testnet: bool = Field(False, description="trade on the venue's test network, without money")
    live: bool = Field(
        False, description="consent to trade real money, together with `gridmesh run --live`; else a run is on paper"
    )

    @property
    def real_money(self) -> bool:
        """Whether orders could cost real money: everywhere but on a test network and on this machine."""
        if self.testnet:
            return False
        return self.rest_url is None or not is_loopback(urlsplit(self.rest_url).hostname or "")

    @property
    def place(self) -> VenuePlace:
        """Return where the venue is, which is all that a reader of prices needs to know."""
        return VenuePlace(name=self.name, rest_url=self.rest_url, ws_url=self.ws_url, is_testnet=self.testnet)

    @model_validator(mode="after")
    def _rules(self) -> VenueSettings:
        broken(self._broken())
        return self

    def _broken(self) -> list[tuple[str, object, str]]:
        found: list[tuple[str, object, str]] = []
        if rule := adapters.complaint(self.name):
            found.append(("name", self.name, rule))
        for key, schemes in (("rest_url", ("http", "https")), ("ws_url", ("ws", "wss"))):
            url = getattr(self, key)
            if url is not None and (broken_rule := _url_rule(url, schemes)):
                found.append((key, "(hidden)" if "@" in url else url, broken_rule))
        if (self.rest_url is None) != (self.ws_url is None):
            lacking = "rest_url" if self.rest_url is None else "ws_url"
            found.append(
                (lacking, "(missing)", "has to be given too: one override alone leaves the other on production")
            )
        if self.testnet and (self.live or self.rest_url is not None):
            found.append(("testnet", True, "excludes live: true and URL overrides; choose one"))
        has_key = self.api_key_env is not None or self.api_key_file is not None
        has_passphrase = self.api_passphrase_env is not None or self.api_passphrase_file is not None
        if not rule and has_key and not has_passphrase and adapters.needs_passphrase(self.name):
            words = f"has to name the variable of the key's passphrase, which {self.name} asks for"
            found.append(("api_passphrase_env", "(missing)", words))
        for what in ("api_key", "api_secret", "api_passphrase"):
            if getattr(self, f"{what}_env") and getattr(self, f"{what}_file"):
                found.append((f"{what}_env", "(hidden)", f"excludes {what}_file: name one source, not two"))
        return found


def _url_rule(url: str, schemes: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(url)
        port_is_sound = parts.port is None or parts.port >= 0
    except ValueError:
        return "has to be a URL with a port between 0 and 65535"
    if parts.scheme not in schemes or not parts.hostname or not port_is_sound:
        return f"has to be a URL that starts with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    if parts.username or parts.password:
        return "must not carry a user name or password"
    return ""


class Credentials(Section):
    """The keys of one account; they show themselves as asterisks wherever they are printed."""

    api_key: SecretStr
    api_secret: SecretStr
    passphrase: SecretStr = SecretStr("")

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("credentials are read where they are used; they do not travel between processes")
