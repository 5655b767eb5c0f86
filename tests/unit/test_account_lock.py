"""One deployment an account: the second process is refused, whatever its deployment is called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from actors.account_lock import hold_account
from actors.settings.venue import Credentials, VenueSettings
from grid.errors import RefusedToStart

VENUE = VenueSettings(rest_url="http://127.0.0.1:1", ws_url="ws://127.0.0.1:1")


def keys(key: str) -> Credentials:
    return Credentials(api_key=SecretStr(key), api_secret=SecretStr("secret-of-the-test"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRIDMESH_HOME", str(tmp_path))
    return tmp_path


def test_the_second_is_refused_and_told_who_is_first() -> None:
    first = hold_account(VENUE, keys("key-one"))

    with pytest.raises(RefusedToStart, match=f"process {os.getpid()}"):
        hold_account(VENUE, keys("key-one"))
    first.release()


def test_another_account_and_a_later_start_are_free() -> None:
    first = hold_account(VENUE, keys("key-one"))
    hold_account(VENUE, keys("key-two")).release()
    first.release()

    hold_account(VENUE, keys("key-one")).release()


def test_no_file_tells_the_key(home: Path) -> None:
    hold_account(VENUE, keys("key-one")).release()

    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    assert not any("key-one" in path.name or b"key-one" in path.read_bytes() for path in files)
