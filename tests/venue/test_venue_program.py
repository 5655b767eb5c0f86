"""The venue as a process: it says where it is, plays a real tape, and ends when told to."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import ValidationError

from exchanges.sim.server.account_config import read_accounts
from exchanges.sim.server.main import parse
from tests.venue.running_venue import PlainClient, signed

ROOT = Path(__file__).resolve().parents[2]
FAULTS = "faults:\n  - {kind: unknown_error, scope: {endpoint: order.place}, count: 1}\n"


@asynccontextmanager
async def program(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "exchanges.sim.server",
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        yield process, json.loads(line)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def quoted(client: PlainClient) -> dict[str, str]:
    """Return the first quotes of the market, which begins at the next whole second."""
    while True:
        _, answer = await client.ask("GET", "/fapi/v1/ticker/bookTicker", sign=False, symbol="ETHUSDT")
        book: dict[str, str] = answer
        if float(book["bidPrice"]) > 0:
            return book
        await asyncio.sleep(0.05)


async def test_the_program_announces_itself_serves_and_ends_on_a_signal(tmp_path: Path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text(FAULTS, encoding="utf-8")

    async with program("--seed", "4", "--faults", str(faults)) as (process, announced):
        async with aiohttp.ClientSession() as session:
            client = PlainClient(session, announced["rest_url"])
            book = await quoted(client)
            price = f"{float(book['bidPrice']) * 0.97:.2f}"
            first = await client.place("one", price=price)
            second = await client.place("two", price=price)
        process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(process.wait(), 60)

    assert announced["rest_url"].startswith("http://127.0.0.1:")
    assert announced["ws_url"].startswith("ws://127.0.0.1:")
    assert (first[0], second[0]) == (503, 200)
    assert code == 0


async def test_the_program_plays_recorded_ticks(shared_data: Path) -> None:
    ticks = shared_data / "ticks"
    tapes = [
        ticks / "binance_usdm_ETHUSDT_trades_20240718_20240719.parquet",
        ticks / "binance_usdm_ETHUSDT_bookticker_20240718_20240719.parquet",
    ]
    arguments = [part for tape in tapes for part in ("--tape", str(tape))]

    async with (
        program(*arguments, "--speed", "4", "--warm-up", "60") as (_, announced),
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{announced['ws_url']}/public/ws/ethusdt@bookTicker") as socket,
    ):
        quotes = [await socket.receive_json(timeout=60) for _ in range(20)]
        client = PlainClient(session, announced["rest_url"])
        _, candles = await client.ask("GET", "/fapi/v1/klines", sign=False, symbol="ETHUSDT", interval="1m")

    assert announced["symbols"] == ["ETHUSDT"]
    assert all(3000 < float(row["b"]) < float(row["a"]) < 4000 for row in quotes)
    assert all(3000 < float(row[4]) < 4000 for row in candles)
    assert candles


def accounts_file(folder: Path, **changes: Any) -> Path:
    own = {"account": "own", "deposit": "750", "api_key": "a" * 64, "api_secret": "b" * 64, **changes}
    path = folder / "accounts.yaml"
    path.write_text(json.dumps({"accounts": [{name: value for name, value in own.items() if value}]}), encoding="utf-8")
    return path


async def test_the_program_opens_the_accounts_it_is_given(tmp_path: Path) -> None:
    arguments = ("--accounts", str(accounts_file(tmp_path)))
    async with program(*arguments) as (_, announced), aiohttp.ClientSession() as session:
        url = f"{announced['rest_url']}/fapi/v3/balance?{signed({}, secret='b' * 64)}"
        async with session.get(url, headers={"X-MBX-APIKEY": "a" * 64}) as reply:
            balances = await reply.json()
        demo = await PlainClient(session, announced["rest_url"]).ask("GET", "/fapi/v3/balance")

    assert balances[0]["balance"] == "750.00000000"
    assert demo[1]["code"] == -2015
    assert "api_secret" not in announced


@pytest.mark.parametrize(
    "wrong",
    [{"public_key_file": "x.pem"}, {"deposit": "-5"}, {"api_secret": ""}, {"api_key": "short"}, {"colour": "red"}],
)
def test_a_wrong_account_is_refused(tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        read_accounts(accounts_file(tmp_path, **wrong))

    assert "b" * 64 not in str(caught.value)


def test_the_command_line_is_read() -> None:
    options = parse(["--port", "7", "--tape", "a.csv", "--tape", "b.csv", "--speed", "2.5", "--seed", "9"])

    assert (options.port, options.tape, options.speed, options.seed) == (7, (Path("a.csv"), Path("b.csv")), 2.5, 9)
    assert options.host == "127.0.0.1"


def test_an_unknown_option_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(["--velocity", "3"])

    assert caught.value.code == 2
    assert "--velocity" in capsys.readouterr().err
