"""Measures two hops inside the Ray of a running deployment: `python -m tests.bench.hops DEPLOYMENT`.

Reads one JSON list a line, [count, spacing in ms], and answers a JSON list of nanoseconds.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time

from actors import run_file
from tests.bench.hop_actors import FEED, GATEWAY, SLOT

NAMESPACE = "hops"
BUILDERS = {FEED: "feed", SLOT: "slot", GATEWAY: "gateway"}
ANSWER_S = 20.0


def main() -> None:
    """Create the three actors beside the deployment's, and measure when asked."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Ray prints there what it thinks of many workers
    run = run_file.find(sys.argv[1])
    os.environ.update(run_file.ray_environment(run.token_path))
    import ray

    from actors.runtime.cluster import Cluster
    from actors.runtime.crew import ask_all
    from actors.runtime.plan import ActorPlan

    ray.init(address=run.address, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR)
    cluster = Cluster(address=run.address, deployment=NAMESPACE, dashboard_url="", token_path=None, is_ours=False)
    for name, function in BUILDERS.items():
        build = f"tests.bench.hop_actors:{function}"
        cluster.create(ActorPlan(name=name, deployment=NAMESPACE, kind="Hop", build=build))
    while not all(seen is not None for seen in ask_all(cluster, BUILDERS, "snapshot", timeout_s=ANSWER_S).values()):
        time.sleep(0.1)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        count, spacing_ms = json.loads(line)
        ask_all(cluster, [FEED], "begin", count, spacing_ms, timeout_s=ANSWER_S)
        time.sleep(count * spacing_ms / 1000)
        while ask_all(cluster, [FEED], "snapshot", timeout_s=ANSWER_S)[FEED]["left"]:
            time.sleep(0.1)
        time.sleep(0.2)
        spans = ask_all(cluster, [GATEWAY], "take_spans", timeout_s=ANSWER_S)[GATEWAY]
        print(json.dumps(spans), file=answers, flush=True)
    cluster.end_actors(tuple(BUILDERS))


if __name__ == "__main__":
    main()
