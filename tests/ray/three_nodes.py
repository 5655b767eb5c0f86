"""Three nodes by Ray's own cluster utilities, in a process: `python -m tests.ray.three_nodes FOLDER RESOURCES..`

The first is the head; each is told its custom resources as JSON. Says the head's address, then answers each line that
it reads by one line of JSON: `kill N`, or `places`, the number of the node on which each actor lives. Ends every
node with its input.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from ray.cluster_utils import Cluster

OBJECT_STORE_BYTES = 80_000_000


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # Ray prints what it thinks of its cluster
    folder, *resources = sys.argv[1:]
    build: Any = Cluster
    cluster = build(shutdown_at_exit=True)
    nodes = [
        cluster.add_node(
            num_cpus=1,
            object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=False,
            temp_dir=folder,
            resources=json.loads(own),
        )
        for own in resources
    ]
    print(json.dumps(cluster.address), file=answers, flush=True)
    for line in sys.stdin:
        verb, *number = line.split()
        if verb == "kill":
            cluster.remove_node(nodes[int(number[0])], allow_graceful=False)
        answer = _places(cluster, [node.node_id for node in nodes]) if verb == "places" else verb
        print(json.dumps(answer), file=answers, flush=True)
    cluster.shutdown()


def _places(cluster: Any, nodes: list[str]) -> dict[str, int]:
    living = [one for one in cluster.global_state.actor_table(None).values() if one["State"] == "ALIVE"]
    return {one["Name"]: nodes.index(one["Address"]["NodeID"]) for one in living}


if __name__ == "__main__":
    main()
