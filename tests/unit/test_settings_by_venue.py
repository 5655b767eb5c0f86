"""What a configuration may ask depends on its venue: refused before anything starts, by the key that asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.test_settings import changed, load, refused


@pytest.mark.parametrize("name", ["gate", "bitget"])
def test_a_stop_at_the_venue_is_refused_where_none_is_placed(tmp_path: Path, name: str) -> None:
    (error,) = refused(tmp_path, changed(venue__name=name, symbols__0__exchange_stop={"distance": "0.3"}))

    assert error.key == "symbols[0].exchange_stop"
    assert f"at {name}" in str(error)


def test_a_countdown_is_refused_where_a_symbol_has_none(tmp_path: Path) -> None:
    asked = {"symbols__0__countdown_s": 60, "symbols__0__cancels_manual_orders": True}
    (error,) = refused(tmp_path, changed(venue__name="bybit", **asked))

    assert error.key == "symbols[0].countdown_s"
    assert load(tmp_path, changed(venue__name="okx", **asked)).symbols[0].countdown_s == 60


def test_a_key_of_okx_needs_its_passphrase(tmp_path: Path) -> None:
    keys = {"venue__api_key_env": "TRIAL_KEY", "venue__api_secret_env": "TRIAL_SECRET"}
    (error,) = refused(tmp_path, changed(venue__name="okx", **keys))

    assert error.key == "venue.api_passphrase_env"
    whole = load(tmp_path, changed(venue__name="okx", **keys, venue__api_passphrase_env="TRIAL_PASSPHRASE"))
    assert whole.venue.api_passphrase_env == "TRIAL_PASSPHRASE"
