"""The accounts in a coordinator's snapshot, and how an operator's words name them and their symbols."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from actors.actor_names import of_account
from actors.errors import NotFound

Section = Mapping[str, Any]


def sections(seen: Mapping[str, Any]) -> Mapping[str, Section]:
    """Return each account's part by its name; a deployment without a list is its only part, under an empty name."""
    found: Mapping[str, Section] = seen.get("accounts", {"": seen})
    return found


def chosen(seen: Mapping[str, Any], account: str | None) -> tuple[str, ...]:
    """Return the names of all accounts, or the one that was asked for; raises `NotFound` naming those there are."""
    names = tuple(sections(seen))
    if account is None:
        return names
    if account not in names:
        there = f"there are {', '.join(names)}" if names != ("",) else "this deployment has one, without a name"
        raise NotFound(f"no account {account}: {there}")
    return (account,)


def find_symbol(seen: Mapping[str, Any], text: str) -> tuple[str, str]:
    """Return account and symbol of `SYMBOL` or `account/SYMBOL`; raises `NotFound` where that is none, or not one."""
    account, _, symbol = text.rpartition("/")
    trading = [name for name in chosen(seen, account or None) if symbol in sections(seen)[name]["layouts"]]
    if len(trading) > 1:
        words = " or ".join(of_account(name, symbol) for name in trading)
        raise NotFound(f"{symbol} is traded on several accounts: write {words}")
    if not trading:
        there = sorted(of_account(name, one) for name, part in sections(seen).items() for one in part["layouts"])
        raise NotFound(f"{text} is not traded here; there are {', '.join(there)}")
    return trading[0], symbol


def spelt(text: str) -> str:
    """Return `SYMBOL` or `account/SYMBOL` as they are written: symbols in capitals."""
    account, _, symbol = text.rpartition("/")
    return of_account(account, symbol.upper())


def prefixed(account: str, words: Iterable[str]) -> list[str]:
    """Return sentences about an account, which of several is named before each."""
    return [f"{account}: {one}" if account else one for one in words]
