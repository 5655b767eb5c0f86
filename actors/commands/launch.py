"""`run`, `demo`, `sim` and `risk-report`: verbs that start something of the program's own."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import Annotated

import typer

from actors.commands.offline import Config, Live
from actors.commands.output import Json, emit
from actors.commands.running import Account, load
from grid.errors import ConfigError
from risk.rules import DetectorKind

DURATION_S_MAX = 86_400.0

Tapes = Annotated[
    list[Path] | None,
    typer.Option("--tape", exists=True, help="Recorded market (klines or trades, CSV or Parquet); may be repeated."),
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the generated market and of chance.")]


def run(
    config: Config,
    standby: Annotated[
        bool,
        typer.Option("--standby", help="Wait while another deployment has the account; take over when it is gone."),
    ] = False,
    live: Live = False,
    as_json: Json = False,
) -> None:
    """Start a deployment and trade until it is stopped: on paper, unless --live is given and venue.live is true."""
    from actors.settings.deployment import load_deployment

    settings = load_deployment(config)
    if live:
        settings = settings.for_live()
    for one in settings.accounts if standby else ():
        ownership = one.ownership.model_copy(update={"standby": True})
        settings = settings.with_account(one.model_copy(update={"ownership": ownership}))
    raise typer.Exit(load("actors.runtime.launch", "run")(settings, config=config.resolve(), as_json=as_json))


def demo(
    duration: Annotated[
        float, typer.Option("--duration", min=5, max=DURATION_S_MAX, help="Trade for so many seconds.")
    ] = 60.0,
    tape: Tapes = None,
    seed: Seed = 1,
    as_json: Json = False,
) -> None:
    """Trade two symbols at a simulated venue on this machine, then check the book against the venue."""
    raise typer.Exit(
        load("actors.trials.demo", "run")(duration_s=duration, tape=tuple(tape or ()), seed=seed, as_json=as_json)
    )


def drill(
    config: Config,
    duration: Annotated[
        float, typer.Option("--duration", min=10, max=DURATION_S_MAX, help="Trade for so many seconds.")
    ] = 60.0,
    tape: Tapes = None,
    seed: Seed = 1,
    account: Account = None,
    as_json: Json = False,
) -> None:
    """Try your own configuration at a simulated venue where everything goes wrong; do this before you go live.

    Of several accounts it plays the one that is named.
    """
    raise typer.Exit(
        load("actors.trials.drill", "run")(
            config, account=account, duration_s=duration, tape=tuple(tape or ()), seed=seed, as_json=as_json
        )
    )


def sim(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Loopback port; 0 takes a free one.")] = 0,
    tape: Tapes = None,
    speed: Annotated[float, typer.Option("--speed", min=0.01, max=1e6, help="Seconds of market in one second.")] = 1.0,
    seed: Seed = 1,
    faults: Annotated[Path | None, typer.Option("--faults", exists=True, help="Faults to play (YAML).")] = None,
    protocol: Annotated[str, typer.Option("--protocol", help="Whose language it speaks.")] = "binanceusdm",
    as_json: Json = True,
) -> None:
    """Start the simulated venue on loopback, for any client of the venue it plays. Prints its addresses when ready."""
    protocols = load("exchanges.sim.server.doors", "PROTOCOLS")
    if protocol not in protocols:
        raise typer.BadParameter(f"{protocol}: has to be one of: {', '.join(protocols)}", param_hint="--protocol")
    serve = load("exchanges.sim.server.main", "serve")
    options = load("exchanges.sim.server.main", "ServeOptions")
    chosen = options(protocol=protocol, port=port, tape=tuple(tape or ()), speed=speed, seed=seed, faults=faults)
    try:
        asyncio.run(serve(chosen))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise ConfigError("--port", port, "is taken by another process; leave it out for a free one") from None


def risk_report(
    tapes: Annotated[
        list[Path], typer.Argument(metavar="TAPE...", exists=True, help="Recorded candles of the watched coins.")
    ],
    detector: Annotated[
        DetectorKind, typer.Option("--detector", help="By which rule; `fall` is the default of a configuration.")
    ] = DetectorKind.FALL,
    as_json: Json = False,
) -> None:
    """Run the detector over recorded candles: when it halted, what it caught, what was useless."""
    from actors.trials.risk_report import risk_report as measure
    from actors.trials.risk_report import whole_json, whole_tables

    reports = measure(tapes, detector=detector)
    emit(whole_json(reports), as_json=as_json, render=lambda: whole_tables(reports))
