"""Ray for a deployment: started by us, or a cluster that runs already. What we did not start we do not end."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from actors import private_files, run_file
from actors.errors import NotRunning
from actors.runtime.actor_options import actor_options
from actors.runtime.plan import ActorPlan
from actors.structured_log import log_of

OBJECT_STORE_BYTES = 80 * 1024 * 1024
AHEAD_MAX = 12
"""More processes at once would only be in each other's way."""
PROJECT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Cluster:
    """A connection to Ray. `is_ours`: this process started it, and its end is the end of every actor in it."""

    address: str
    deployment: str
    dashboard_url: str
    token_path: Path | None
    is_ours: bool
    _handles: dict[str, Any] = field(default_factory=dict)

    def create(self, plan: ActorPlan) -> Any:
        """Create the actor, or find the living one of that name; returns its handle at once."""
        from actors.runtime.hosted import remote_class  # it imports ray, which reads the environment then

        options = actor_options(plan.name, plan.deployment, plan.resources)
        handle = remote_class(plan.kind).options(**options).remote(plan)
        self._handles[plan.name] = handle
        return handle

    def find(self, name: str) -> Any:
        """Return the handle of a living actor of this deployment; raises `NotRunning` where there is none."""
        import ray

        try:
            return ray.get_actor(name, namespace=self.deployment)
        except ValueError as error:
            raise NotRunning(f"no actor {name} in deployment {self.deployment}") from error

    def end_actors(self, names: Sequence[str]) -> None:
        """End these actors for good."""
        import ray

        for name in names:
            try:
                ray.kill(self.find(name), no_restart=True)
            except NotRunning:
                continue

    def shutdown(self) -> None:
        """Disconnect; a Ray that we started ends with it, another is left as it was, its actors too."""
        import ray

        self._handles.clear()
        ray.shutdown()


def start_local(
    deployment: str, *, actors: int = 0, dashboard: bool = True, dashboard_port: int = 0, metrics_port: int = 0
) -> Cluster:
    """Start a Ray of our own on this machine, with a token that only this user can read.

    So many `actors` are about to be created: their processes are begun at once, while the first of them look around.

    Ray opens its folder to every user, and its sockets and logs with the umask of who starts it: here neither is for
    others. Raises `ConfigError` where the folder around them is somebody else's.
    """
    # A local Ray that is gone does not come back: who asks it shall hear so soon.
    os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", "10")
    # A machine under load takes its time to start processes: one that is given up for that is only begun again.
    os.environ.setdefault("RAY_worker_register_timeout_seconds", "300")
    token_path = run_file.make_token(deployment)
    # Ray would have the actors give way to every other process of the host (nice 15); they are what it is all for.
    os.environ.setdefault("RAY_worker_niceness", str(os.getpriority(os.PRIO_PROCESS, 0)))
    _prepare_environment(run_file.ray_environment(token_path))
    import ray

    _spare_monitors()
    folder = private_files.temporary_folder()
    usual = os.umask(0o077)
    try:
        context = ray.init(
            address="local",
            namespace=deployment,
            _temp_dir=str(folder / "ray"),
            # Ray begins as many processes ahead as it believes to have processors; no actor of ours asks for one.
            num_cpus=max(os.cpu_count() or 1, min(actors, AHEAD_MAX)),
            object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=dashboard,
            dashboard_host="127.0.0.1",
            dashboard_port=dashboard_port or None,
            _metrics_export_port=metrics_port or None,
            log_to_driver=False,
            logging_level=logging.WARNING,
            configure_logging=True,
        )
    finally:
        os.umask(usual)
    _hear_ray()
    url = str(context.dashboard_url or "")
    return Cluster(
        address=str(ray.get_runtime_context().gcs_address),
        deployment=deployment,
        dashboard_url=f"http://{url}" if url else "",
        token_path=token_path,
        is_ours=True,
    )


def connect(address: str, deployment: str, token_path: Path | None) -> Cluster:
    """Join a running cluster by its address; a dead one is noticed within a second. Never joins by guess."""
    if not run_file.answers(address):
        raise NotRunning(f"no Ray answers at {address}")
    if token_path is not None:
        _prepare_environment(run_file.ray_environment(token_path))
    import ray

    context = ray.init(address=address, namespace=deployment, log_to_driver=False, logging_level=logging.WARNING)
    return Cluster(
        address=address,
        deployment=deployment,
        dashboard_url=str(context.dashboard_url or ""),
        token_path=token_path,
        is_ours=False,
    )


def _spare_monitors() -> None:
    """Start no autoscaler, and nobody who reads logs to a driver: a Ray of our own does not grow, and is silent."""
    from ray._private import node

    for name in ("start_monitor", "start_log_monitor"):
        setattr(node.Node, name, lambda self: None)


def _hear_ray() -> None:
    """Keep our standard output ours: Ray prints its remarks on workers there, whatever `log_to_driver` says."""
    from ray._private import worker

    def into_the_log(data: Any, ignore_prefix: bool) -> None:
        log_of("ray").debug("remark", text=" ".join(data.get("lines", ())))

    worker.print_to_stdstream = into_the_log


def _prepare_environment(environment: dict[str, str]) -> None:
    """Set what Ray's processes inherit; has to happen before ray is imported for the first time."""
    os.environ.update(environment)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Workers import the flat packages from this checkout, and keep their compiled files: they start quicker so.
    paths = [str(PROJECT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
