"""Looks into a running deployment from a process of its own: `python -m tests.ray.actor_probe DEPLOYMENT [ADDRESS]`.

Reads one JSON list a line, [question, name], and answers one JSON value a line. `process` answers None while there is
no answer; `places` gives the address of each living actor's node, `lives` the incarnation of one; anything else an
actor's snapshot. With an address it needs no run file, and the environment names the token.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any

from actors import run_file

ANSWER_S = 10.0


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Ray prints what it thinks of its cluster
    deployment = sys.argv[1]
    if len(sys.argv) > 2:
        address = sys.argv[2]
    else:
        run = run_file.find(deployment)
        address = run.address
        os.environ.update(run_file.ray_environment(run.token_path))
    import ray

    ray.init(address=address, namespace=deployment, log_to_driver=False, logging_level=logging.ERROR)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        question, name = json.loads(line)
        print(json.dumps(_answer(question, name), default=str), file=answers, flush=True)


def _answer(question: str, name: str) -> Any:
    import ray
    from ray.exceptions import RayError

    try:
        if question == "places":
            return _places()
        handle = ray.get_actor(name)
        call: Any = {"process": handle.process.remote, "lives": handle.incarnation.remote}.get(
            question, lambda: handle.ask.remote("snapshot")
        )
        return ray.get(call(), timeout=ANSWER_S)
    except (RayError, ValueError):
        return None


def _places() -> dict[str, str]:
    """Return the address of each living actor's node."""
    import ray
    from ray._private.state import actors

    cluster_nodes: Any = ray.nodes
    addresses = {node["NodeID"]: node["NodeManagerAddress"] for node in cluster_nodes() if node["Alive"]}
    living = [one for one in actors().values() if one["State"] == "ALIVE"]
    return {one["Name"]: addresses.get(one["Address"]["NodeID"], "") for one in living}


if __name__ == "__main__":
    main()
