"""No secret in a configuration, an error, a log or what is shown; only the environment and private files hold them."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import pytest
import yaml

from actors.redaction import HIDDEN, looks_secret, redacted
from actors.settings.account import load_settings, show_config
from actors.settings.credentials import load_credentials
from actors.settings.venue import VenueSettings
from grid.errors import ConfigError
from tests.unit.test_settings import SMALLEST, changed, load, refused

SECRET = "Zk3" + "x9Qp" * 15 + "w"
LOOPBACK = {"rest_url": "http://127.0.0.1:1", "ws_url": "ws://127.0.0.1:1"}


def venue(**keys: object) -> VenueSettings:
    return VenueSettings.model_validate({**LOOPBACK, **keys})


@pytest.mark.parametrize(
    "key", ["api_secret", "api_key", "secret", "password", "token", "apiSecret", "private_key", "passphrase"]
)
def test_a_secret_in_the_file_is_refused_without_being_shown(tmp_path: Path, key: str) -> None:
    (error,) = refused(tmp_path, changed(**{f"venue__{key}": SECRET}))

    assert error.key == f"venue.{key}"
    assert "venue.api_key_env" in error.rule
    assert SECRET not in str(error)
    assert error.value == HIDDEN


def test_a_secret_in_the_environment_of_settings_is_refused_without_being_shown(tmp_path: Path) -> None:
    (error,) = refused(tmp_path, SMALLEST, {"GRIDMESH__VENUE__API_SECRET": "short1"})

    assert "short1" not in str(error)


@pytest.mark.parametrize("key", ["api_key_env", "api_secret_env"])
def test_a_secret_put_where_a_name_belongs_is_not_shown(tmp_path: Path, key: str) -> None:
    (error,) = refused(tmp_path, changed(**{f"venue__{key}": SECRET}))

    assert SECRET not in str(error)
    assert "NAME" in error.rule


def test_a_secret_at_any_other_key_is_not_shown_either(tmp_path: Path) -> None:
    (error,) = refused(tmp_path, changed(deployment=SECRET))

    assert SECRET not in str(error)


def test_a_url_with_a_password_is_refused_without_being_shown(tmp_path: Path) -> None:
    (error,) = refused(tmp_path, changed(venue__rest_url="http://me:hunter2@127.0.0.1:1"))

    assert "hunter2" not in str(error)


def test_show_config_holds_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAL_KEY", SECRET)
    settings = load(tmp_path, changed(venue__api_key_env="TRIAL_KEY", venue__api_secret_env="TRIAL_KEY"))

    assert SECRET not in str(show_config(settings)) + repr(settings)


class TestCredentials:
    def test_they_come_from_the_named_variables(self) -> None:
        pair = load_credentials(venue(api_key_env="A", api_secret_env="B"), {"A": "key", "B": SECRET + "\n"})

        assert pair.api_key.get_secret_value() == "key"
        assert pair.api_secret.get_secret_value() == SECRET

    def test_they_hide_themselves_and_do_not_travel(self) -> None:
        pair = load_credentials(venue(api_key_env="A", api_secret_env="B"), {"A": SECRET, "B": SECRET})

        assert SECRET not in repr(pair) + str(pair) + str(pair.model_dump())
        with pytest.raises(TypeError, match="do not travel"):
            pickle.dumps(pair)

    def test_they_come_from_private_files(self, tmp_path: Path) -> None:
        file = tmp_path / "key"
        file.write_text(SECRET + "\n")
        file.chmod(0o600)

        pair = load_credentials(venue(api_key_file=str(file), api_secret_file=str(file)), {})

        assert pair.api_secret.get_secret_value() == SECRET

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
    def test_a_file_that_others_can_read_is_refused_with_the_remedy(self, tmp_path: Path, mode: int) -> None:
        file = tmp_path / "key"
        file.write_text(SECRET)
        file.chmod(mode)

        with pytest.raises(ConfigError, match=f"mode {mode:04o}.*chmod 600") as caught:
            load_credentials(venue(api_key_file=str(file), api_secret_env="B"), {"B": "b"})

        assert caught.value.key == "venue.api_key_file"
        assert SECRET not in str(caught.value)

    def test_a_pipe_or_folder_is_no_key_file(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe, 0o600)

        for place in (pipe, tmp_path):
            with pytest.raises(ConfigError, match="plain file"):
                load_credentials(venue(api_key_file=str(place), api_secret_env="B"), {"B": "b"})

    @pytest.mark.parametrize(
        ("keys", "environ", "key", "rule"),
        [
            ({}, {}, "venue.api_key_env", "needs a variable's name"),
            ({"api_key_env": "A", "api_secret_env": "B"}, {"A": "a"}, "venue.api_secret_env", "not set"),
            ({"api_key_env": "A", "api_secret_env": "B"}, {"A": "two words"}, "venue.api_key_env", "no key"),
            ({"api_key_file": "/nowhere/at/all"}, {}, "venue.api_key_file", "cannot be opened"),
        ],
    )
    def test_what_is_lacking_is_named(self, keys: dict[str, str], environ: dict[str, str], key: str, rule: str) -> None:
        with pytest.raises(ConfigError, match=rule) as caught:
            load_credentials(venue(**keys), environ)

        assert caught.value.key == key

    def test_two_sources_for_one_secret_are_refused(self, tmp_path: Path) -> None:
        document = changed(venue={**LOOPBACK, "api_key_env": "A", "api_key_file": "a"})
        path = tmp_path / "c.yaml"
        path.write_text(yaml.safe_dump(document))

        with pytest.raises(ConfigError, match="one source"):
            load_settings(path, {})


class TestRedaction:
    @pytest.mark.parametrize(
        "key", ["apiKey", "api_secret", "X-MBX-APIKEY", "listenKey", "signature", "authorization", "token"]
    )
    def test_telling_keys_are_known(self, key: str) -> None:
        assert looks_secret(key)

    @pytest.mark.parametrize("key", ["symbol", "client_id", "order_id", "amount", "tokens_left", "keyboard", "reason"])
    def test_ordinary_keys_are_left_alone(self, key: str) -> None:
        assert not looks_secret(key)

    def test_it_reaches_every_depth_and_every_known_value(self) -> None:
        event = {"a": [{"apiKey": "k"}, f"url?sig={SECRET}"], "token_path": "/t", "n": 3}

        shown = redacted(event, frozenset({SECRET}))

        assert shown == {"a": [{"apiKey": HIDDEN}, f"url?sig={HIDDEN}"], "token_path": "/t", "n": 3}


class TestLog:
    def test_neither_format_lets_a_secret_through(self) -> None:
        from actors.structured_log import logger_to

        for as_json in (True, False):
            out = io.StringIO()
            log = logger_to(out, as_json=as_json, secrets=[SECRET])

            log.warning("request refused", api_secret="abc", url=f"https://x?key={SECRET}", deep={"signature": "def"})
            try:
                raise ValueError(f"bad key {SECRET}")
            except ValueError:
                log.exception(f"failed with {SECRET}")

            written = out.getvalue()
            assert "request refused" in written
            assert not any(word in written for word in (SECRET, "abc", 'def"'))
            assert HIDDEN in written
