"""The verbs of `gridmesh` and how each ends. They load what they need when they run; --help loads no ray, no ccxt."""

from __future__ import annotations

import os
import sys
import traceback
from types import TracebackType

import typer
from typer.exceptions import TyperException

from actors.commands import init, launch, observe, offline, operate, panic, plan, roster, venue, venues
from actors.commands.output import report_error, to_json
from actors.errors import TimedOut
from actors.exit_codes import ExitCode
from actors.stop_signals import Interrupted
from grid.errors import GridmeshError

app = typer.Typer(
    name="gridmesh",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Grid trading on perpetual futures. It can lose money: try it with `gridmesh demo` first.",
    epilog=(
        "Exit codes: 0 ok, 1 error, 2 not found or wrong usage, 3 not running, 4 configuration or credentials, "
        "5 time-out, 6 halted by risk, 7 refused to start, 130 or 143 ended by a signal before anything traded."
    ),
)

app.command("run")(launch.run)
app.command("demo")(launch.demo)
app.command("drill")(launch.drill)
app.command("sim")(launch.sim)
app.command("init")(init.init)
app.command("venues")(venues.venues)
app.command("check")(venue.check)
app.command("plan")(plan.plan)
app.command("status")(observe.status)
app.command("explain")(observe.explain)
app.command("halt")(operate.halt)
app.command("resume")(operate.resume)
app.command("stop")(operate.stop)
app.command("add")(roster.add)
app.command("remove")(roster.remove)
app.command("panic")(panic.panic)
app.command("risk-report")(launch.risk_report)
app.command("show-config")(offline.show_config)
app.command("export")(offline.export)
app.command("recover")(offline.recover)
app.command("version")(offline.show_version)


def run_verb() -> None:
    """Run one verb and end the process with its exit code."""
    sys.excepthook = report_unexpected
    as_json = "--json" in sys.argv[1:]
    # the command itself, not the Typer object: that one would put its own hook in place of ours
    command = typer.main.get_command(app)
    try:
        if not as_json:
            command(prog_name="gridmesh")
        sys.exit(command(prog_name="gridmesh", standalone_mode=False) or ExitCode.OK)
    except TyperException as error:
        document = {"error": {"kind": "UsageError", "message": error.format_message()}, "exit_code": error.exit_code}
        print(to_json(document), flush=True)
        sys.exit(error.exit_code)
    except TimedOut as error:
        code = report_error(error, as_json=as_json)
        # the call that hangs holds a thread that a normal end would wait for
        os._exit(code)
    except Interrupted as error:
        code = report_error(error, as_json=as_json)
        # a Ray that was broken off half-way would abort in its clean-up; its processes end with this one
        os._exit(code)
    except (GridmeshError, TimeoutError, KeyboardInterrupt) as error:
        sys.exit(report_error(error, as_json=as_json))


def report_unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say what failed and where; the whole trace on request. The interpreter then ends with 1."""
    report_error(error, as_json="--json" in sys.argv[1:])
    if os.environ.get("GRIDMESH_DEBUG"):
        traceback.print_exception(kind, error, trace)
        return
    where = traceback.extract_tb(trace)[-1:]
    place = f"{where[0].filename}:{where[0].lineno}" if where else "an unknown place"
    words = f"gridmesh: this was not expected ({kind.__name__} at {place}); GRIDMESH_DEBUG=1 shows the whole trace"
    print(words, file=sys.stderr)
