"""The numbers that Ray's metrics export, each declared in `metric_names`. Outside of Ray they go nowhere."""

from __future__ import annotations

from decimal import Decimal

import ray
from ray.util.metrics import Counter, Gauge, Histogram

from actors.runtime.metric_names import DECLARED, Declared, Kind

DEPLOYMENT, ACCOUNT = "deployment", "account"
"""The tags that every series has: two deployments may share a cluster, and two accounts a deployment."""


class RayGauges:
    """The `Gauges` of an actor process. A name that is not declared is a mistake of ours and raises `KeyError`."""

    def __init__(self, deployment: str, account: str = "") -> None:
        self._tags = {DEPLOYMENT: deployment, ACCOUNT: account}
        self._made: dict[str, Gauge | Counter | Histogram] = {}

    def set(self, name: str, value: float | Decimal, **tags: str) -> None:
        """Show the present value. What is not set for some twenty seconds is no longer shown."""
        series = self._series(name)
        if isinstance(series, Gauge):
            series.set(float(value), tags)

    def count(self, name: str, by: int = 1, **tags: str) -> None:
        """Add to a counter."""
        series = self._series(name)
        if isinstance(series, Counter) and by > 0:
            series.inc(by, tags)

    def observe(self, name: str, value: float, **tags: str) -> None:
        """Add one measurement to a histogram."""
        series = self._series(name)
        if isinstance(series, Histogram):
            series.observe(value, tags)

    def _series(self, name: str) -> Gauge | Counter | Histogram | None:
        declared = DECLARED[name]
        if not ray.is_initialized():
            return None
        if name not in self._made:
            self._made[name] = _made(name, declared)
            self._made[name].set_default_tags(self._tags)
        return self._made[name]


def _made(name: str, declared: Declared) -> Gauge | Counter | Histogram:
    tags = tuple(dict.fromkeys((*declared.tags, DEPLOYMENT, ACCOUNT)))
    if declared.kind is Kind.HISTOGRAM:
        return Histogram(name, description=declared.description, boundaries=list(declared.bounds), tag_keys=tags)
    simple = Counter if declared.kind is Kind.COUNTER else Gauge
    return simple(name, description=declared.description, tag_keys=tags)
