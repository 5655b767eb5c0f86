"""Keys, signatures and listen keys stay out of representations, errors and logs; the public half stays light."""

from __future__ import annotations

import logging
import random
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from exchanges.binance.trading import BinanceTrading
from exchanges.errors import VenueError
from exchanges.session.settings import AdapterSettings, Credentials
from grid.errors import ConfigError
from tests.venue.adapter_rig import approved, settings, trading, until
from tests.venue.scripted_venue import scripted

KEY, HIDDEN = "the key of this test", "the words of this test"


def secretive(rest_url: str | None = None, ws_url: str | None = None) -> AdapterSettings:
    if rest_url is not None and ws_url is not None:
        return settings(rest_url, ws_url, credentials=Credentials(api_key=KEY, api_secret=HIDDEN))
    return AdapterSettings(
        now_ms=lambda: 0,
        monotonic_ns=lambda: 0,
        random=random.Random(0),
        credentials=Credentials(api_key=KEY, api_secret=HIDDEN),
    )


def test_settings_and_venue_print_no_keys() -> None:
    chosen = secretive()
    venue = BinanceTrading(chosen)

    for thing in (chosen, venue, venue._calls, venue._calls._rest, venue._calls._rest._signer, venue._calls._entry):
        for words in (repr(thing), str(thing)):
            assert KEY not in words
            assert HIDDEN not in words


def test_trading_without_keys_names_the_setting() -> None:
    with pytest.raises(ConfigError) as caught:
        BinanceTrading(AdapterSettings(now_ms=lambda: 0, monotonic_ns=lambda: 0, random=random.Random(0)))

    assert caught.value.key == "venue.api_key_env"


async def test_errors_and_debug_logs_hold_no_keys(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with scripted() as venue, trading(secretive(venue.rest_url, venue.ws_url), over_socket=False) as desk:
        failures: list[str] = []
        for call in (desk.account(), desk.place(approved("x1")), desk.order("ETHUSDT", "x1")):
            with pytest.raises(VenueError) as caught:
                await call
            failures.append("".join(traceback.format_exception(caught.value)))
        events = desk.private_events()
        await until(events, lambda event: True)
        await events.aclose()

    for words in (*failures, caplog.text):
        assert KEY not in words
        assert HIDDEN not in words
        assert "signature=" not in words
        assert "listenKey=key1" not in words


@pytest.mark.parametrize("heavy", ["ccxt", "ray", "pydantic"])
def test_the_public_half_is_light_to_import(heavy: str) -> None:
    program = f"import sys, exchanges.binance.market; sys.exit({heavy!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], timeout=280, check=False)

    assert done.returncode == 0
