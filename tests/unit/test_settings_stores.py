"""Where leases and journals may lie: no password in the file, bounds that can hold, nothing told in an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.check.host import check_settings
from actors.check.lines import Verdict
from actors.journal.place import journal_place
from actors.ownership.builder import lease_terms
from actors.ownership.stores import lease_store
from actors.settings.account import configuration_hash
from grid.errors import ConfigError
from tests.unit.test_settings import changed, load, refused

SECRET = "Zk3x9QpZk3x9Qp"
REDIS, DATABASE = "redis://db.example:6379/0", "postgresql://grid@db.example/gridmesh"


@pytest.mark.parametrize(
    ("keys", "at", "rule"),
    [
        ({"ownership__store": f"redis://:{SECRET}@db.example/0"}, "ownership.store", "store_env"),
        (
            {"ownership__store": f"redis://db.example/0?password={SECRET}"},
            "ownership.store",
            "behind the question mark",
        ),
        ({"ownership__store": "http://db.example"}, "ownership.store", "redis://"),
        ({"ownership__store": "redis://"}, "ownership.store", "redis://"),
        ({"ownership__store": REDIS, "ownership__store_env": "LEASES"}, "ownership.store_env", "not two"),
        ({"ownership__lease_s": 5}, "ownership.lease_s", "at least 8"),
        ({"ownership__lease_s": 15, "ownership__skew_s": 8}, "ownership.skew_s", "half of lease_s"),
        ({"journal__url": f"postgresql://grid:{SECRET}@db.example/x"}, "journal.url", "url_env"),
        ({"journal__url": REDIS, "ownership__store": REDIS}, "journal.url", "postgresql://"),
        ({"journal__url": DATABASE}, "journal.url", "lease that they share"),
        ({"journal__url": DATABASE, "journal__path": "a", "ownership__store": REDIS}, "journal.url", "not two"),
    ],
)
def test_what_cannot_keep_one_writer_or_tells_a_password_is_refused(
    tmp_path: Path, keys: dict[str, object], at: str, rule: str
) -> None:
    errors = refused(tmp_path, changed(**keys))

    assert [error.key for error in errors if rule in error.rule] == [at]
    assert SECRET not in " ".join(map(str, errors))


def test_urls_with_passwords_come_from_the_environment_and_are_told_without_them(tmp_path: Path) -> None:
    named = changed(ownership__store_env="LEASES", journal__url_env="BOOK")
    environment = {"LEASES": f"redis://:{SECRET}@db.example:7000/0", "BOOK": f"postgresql://grid:{SECRET}@db.example/x"}
    settings = load(tmp_path, named)

    assert lease_store(settings, environment).where == "redis://db.example:7000"
    assert str(journal_place(settings, environment)) == "postgresql+psycopg://grid:***@db.example/x"
    for ask in (lease_store, journal_place):
        with pytest.raises(ConfigError, match="not set"):
            ask(settings, {})
        with pytest.raises(ConfigError) as caught:
            ask(settings, {"LEASES": f"ftp://{SECRET}@a", "BOOK": f"ftp://{SECRET}@a"})
        assert SECRET not in str(caught.value)


def test_check_names_a_store_or_a_journal_that_the_environment_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEASES", raising=False)
    monkeypatch.setenv("BOOK", f"postgresql://grid:{SECRET}@db.example/x")
    lines = check_settings(load(tmp_path, changed(ownership__store_env="LEASES", journal__url_env="BOOK")))

    refusals = [line for line in lines if line.verdict is Verdict.REFUSE]
    assert [line.sentence for line in refusals] == ["ownership.store_env = LEASES: names a variable that is not set"]
    assert refusals[0].is_configuration
    monkeypatch.setenv("LEASES", REDIS)
    assert all(
        line.verdict is not Verdict.REFUSE
        for line in check_settings(load(tmp_path, changed(ownership__store_env="LEASES", journal__url_env="BOOK")))
    )


def test_a_standby_is_the_same_deployment(tmp_path: Path) -> None:
    first = load(tmp_path, changed(ownership__store=REDIS))
    standby = load(tmp_path, changed(ownership__store=REDIS, ownership__standby=True))

    assert configuration_hash(first) == configuration_hash(standby)
    assert configuration_hash(first) != configuration_hash(load(tmp_path, changed()))
    assert lease_terms(first).renew_every_ms == (15_000 - 2_000 - 2_000) // 3
