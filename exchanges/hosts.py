"""Which hosts the program may reach; a loopback override can't reach any other."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

LOOPBACK_NAME = "localhost"
LOOPBACK_ADDRESS = "127.0.0.1"

AddressInfo = tuple[int, int, int, str, tuple[object, ...]]


class ForbiddenHost(OSError):
    """The host is none of those that the settings name. Raised before anything leaves the machine."""


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, judged without asking any name server."""
    if host == LOOPBACK_NAME:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPolicy:
    """The hosts that may be reached. `loopback_only` where every one of them is this machine."""

    allowed: frozenset[str]
    loopback_only: bool

    @classmethod
    def of(cls, urls: Iterable[str]) -> HostPolicy:
        """Return the policy that allows exactly the hosts of these URLs."""
        hosts = frozenset(urlsplit(url).hostname or "" for url in urls)
        return cls(allowed=hosts, loopback_only=all(is_loopback(host) for host in hosts))

    def check_host(self, host: str) -> None:
        """Raise `ForbiddenHost` unless the host may be reached."""
        if host not in self.allowed and not (self.loopback_only and is_loopback(host)):
            raise ForbiddenHost(f"{host} is none of {', '.join(sorted(self.allowed))}")

    def address_of(self, url: str) -> str | None:
        """Return the address to connect to instead of asking for the URL's name, or None to resolve it."""
        host = urlsplit(url).hostname or ""
        self.check_host(host)
        if not self.loopback_only:
            return None
        return LOOPBACK_ADDRESS if host == LOOPBACK_NAME else host

    def connector(self) -> aiohttp.TCPConnector:
        """Return a connector that refuses every other host, by name and, on loopback, by address."""
        return aiohttp.TCPConnector(resolver=_GuardedResolver(self), socket_factory=self._socket, limit=100)

    def _socket(self, address: AddressInfo) -> socket.socket:
        family, kind, protocol, _, endpoint = address
        # literal addresses never meet the resolver: this is the last gate before the wire
        if self.loopback_only and not is_loopback(str(endpoint[0])):
            raise ForbiddenHost(f"{endpoint[0]} is not this machine")
        return socket.socket(family, kind, protocol)


class _GuardedResolver(AbstractResolver):
    """Resolves allowed names only; on loopback it answers by itself and asks no name server."""

    def __init__(self, policy: HostPolicy) -> None:
        self._policy = policy
        self._inner = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self._policy.check_host(host)
        if self._policy.loopback_only:
            return [_loopback(host, port)]
        return await self._inner.resolve(host, port, family)

    async def close(self) -> None:
        await self._inner.close()


def _loopback(host: str, port: int) -> ResolveResult:
    return ResolveResult(
        hostname=host, host=LOOPBACK_ADDRESS, port=port, family=socket.AF_INET, proto=0, flags=socket.AI_NUMERICHOST
    )
