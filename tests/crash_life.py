"""One life of a whole deployment, in a process that may be killed: `python -m tests.crash_life CONFIG REST WS TOKEN`.

Prints one line once it runs. Ends when its standard input does, so that it never outlives the test.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from actors.settings.account import load_settings
from tests.live_control import VenueControl
from tests.live_deployment import LiveDeployment


def main() -> None:
    config, rest_url, ws_url, token = sys.argv[1:]
    live = LiveDeployment(load_settings(Path(config), {}), VenueControl(rest_url, ws_url, token))
    threading.Thread(target=_say_when_running, args=(live,), daemon=True).start()
    live.begin()
    sys.stdin.read()


def _say_when_running(live: LiveDeployment) -> None:
    live.until(lambda: live.state() == "running", "the deployment runs")
    print("running", flush=True)


if __name__ == "__main__":
    main()
