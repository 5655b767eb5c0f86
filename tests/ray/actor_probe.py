"""Looks into a running deployment from a process of its own: `python -m tests.ray.actor_probe DEPLOYMENT`.

Reads one JSON list a line, [question, name], and answers one JSON value a line. `process` answers None while there is
no answer; `ask` gives an actor's snapshot.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any

from actors import run_file

ANSWER_S = 3.0


def main() -> None:
    run = run_file.find(sys.argv[1])
    os.environ.update(run_file.ray_environment(run.token_path))
    import ray

    ray.init(address=run.address, namespace=run.namespace, log_to_driver=False, logging_level=logging.ERROR)
    print("ready", flush=True)
    for line in sys.stdin:
        question, name = json.loads(line)
        print(json.dumps(_answer(question, name), default=str), flush=True)


def _answer(question: str, name: str) -> Any:
    import ray
    from ray.exceptions import RayError

    try:
        handle = ray.get_actor(name)
        call: Any = handle.process.remote() if question == "process" else handle.ask.remote("snapshot")
        return ray.get(call, timeout=ANSWER_S)
    except (RayError, ValueError):
        return None


if __name__ == "__main__":
    main()
