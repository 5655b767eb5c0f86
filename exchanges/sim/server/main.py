"""The venue as a program: `python -m exchanges.sim.server`, and what `gridmesh sim` calls."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TextIO

import orjson

from exchanges.sim.server.account_config import read_accounts
from exchanges.sim.server.coins_config import read_coins
from exchanges.sim.server.doors import PROTOCOLS
from exchanges.sim.server.fault_config import read_rules
from exchanges.sim.server.market_source import SourceFactory
from exchanges.sim.server.options import DEMO_KEY, DEMO_PASSPHRASE, DEMO_SECRET, VenueOptions, demo_account
from exchanges.sim.server.server import SimVenue
from exchanges.sim.server.sources import GeneratedMarket, RecordedMarket


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """What the command line can say. Without a tape the generator plays for `duration_s`."""

    protocol: str = "binanceusdm"
    host: str = "127.0.0.1"
    port: int = 0
    tape: tuple[Path, ...] = ()
    speed: float = 1.0
    seed: int = 0
    duration_s: float = 86_400.0
    lead_s: float = 0.0
    warm_up_s: float = 0.0
    faults: Path | None = None
    accounts: Path | None = None
    coins: Path | None = None
    deposit: Decimal = Decimal(10_000)
    control_token: str = ""
    keep_playing: bool = False
    ends_with_input: bool = False
    """End when standard input closes: a venue started by a program does not outlive it, however that ends."""

    def market(self) -> SourceFactory:
        if self.tape:
            return RecordedMarket(paths=self.tape, speed=self.speed, warm_up_ms=round(self.warm_up_s * 1000))
        made = GeneratedMarket(
            seed=self.seed, duration_ms=round(self.duration_s * 1000), lead_ms=round(self.lead_s * 1000)
        )
        return replace(made, coins=read_coins(self.coins)) if self.coins else made

    def venue(self) -> VenueOptions:
        return VenueOptions(
            protocol=self.protocol,
            market=self.market(),
            host=self.host,
            port=self.port,
            seed=self.seed,
            speed=self.speed,
            accounts=read_accounts(self.accounts) if self.accounts else (demo_account(deposit=self.deposit),),
            faults=tuple(read_rules(self.faults)) if self.faults else (),
            control_token=self.control_token,
            keep_playing=self.keep_playing,
        )


async def serve(options: ServeOptions, *, out: TextIO = sys.stdout) -> None:
    """Run a venue until SIGINT or SIGTERM. Prints one JSON line with its addresses when it is ready."""
    server = SimVenue(options.venue())
    await server.start()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    if options.ends_with_input:
        loop.add_reader(sys.stdin.fileno(), lambda: ended.set() if not os.read(sys.stdin.fileno(), 4096) else None)
    out.write(orjson.dumps(_announcement(server)).decode() + "\n")
    out.flush()
    running, asked = asyncio.create_task(server.wait()), asyncio.create_task(ended.wait())
    try:
        done, _ = await asyncio.wait((running, asked), return_when=asyncio.FIRST_COMPLETED)
        if running in done:
            running.result()
    finally:
        for task in (running, asked):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await server.stop()


def _announcement(server: SimVenue) -> dict[str, object]:
    """Return what a client needs; keys are told only where they are the published demo account's."""
    is_demo = server.options.accounts[0].keys[0].key == DEMO_KEY
    return {
        "rest_url": server.rest_url,
        "ws_url": server.ws_url,
        "control_url": f"{server.rest_url}/sim",
        "control_token": server.venue.control_token,
        **({"api_key": DEMO_KEY, "api_secret": DEMO_SECRET, "api_passphrase": DEMO_PASSPHRASE} if is_demo else {}),
        "symbols": list(server.venue.instruments()),
        "pid": os.getpid(),
    }


def parse(arguments: Sequence[str]) -> ServeOptions:
    parser = argparse.ArgumentParser(prog="exchanges.sim.server", description="A simulated venue.")
    defaults = ServeOptions()
    parser.add_argument("--protocol", choices=PROTOCOLS, default=defaults.protocol)
    parser.add_argument("--host", default=defaults.host)
    parser.add_argument("--port", type=int, default=defaults.port, help="0: any free port")
    parser.add_argument("--tape", type=Path, action="append", default=[], help="may be given several times")
    parser.add_argument("--speed", type=float, default=defaults.speed)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--duration", dest="duration_s", type=float, default=defaults.duration_s)
    parser.add_argument("--lead", dest="lead_s", type=float, default=defaults.lead_s, help="calm before the program")
    parser.add_argument("--warm-up", dest="warm_up_s", type=float, default=defaults.warm_up_s)
    parser.add_argument("--faults", type=Path, default=None, help="YAML file of fault rules")
    parser.add_argument("--accounts", type=Path, default=None, help="YAML file of accounts; else one demo account")
    parser.add_argument("--coins", type=Path, default=None, help="YAML file of generated coins; else the demo's")
    parser.add_argument("--deposit", type=Decimal, default=defaults.deposit)
    parser.add_argument("--control-token", default=defaults.control_token)
    parser.add_argument("--keep-playing", action="store_true")
    parser.add_argument("--ends-with-input", action="store_true", help="end when standard input closes")
    given = vars(parser.parse_args(arguments))
    return ServeOptions(**{**given, "tape": tuple(given["tape"])})


def main(arguments: Sequence[str] | None = None) -> None:
    asyncio.run(serve(parse(sys.argv[1:] if arguments is None else arguments)))
