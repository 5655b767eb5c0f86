"""The command line: `gridmesh VERB`. What listens for signals is in place before anything else is loaded."""

from __future__ import annotations

import sys

from actors.stop_signals import stop_signals

STARTS_SOMETHING = ("run", "demo")


def main() -> None:
    """Run one verb and end the process with its exit code."""
    if sys.argv[1:2] and sys.argv[1] in STARTS_SOMETHING:
        stop_signals.listen()
    from actors.commands.verbs import run_verb

    run_verb()


if __name__ == "__main__":
    main()
