"""deploy/kuberay.yaml is what Kubernetes and KubeRay take, lets nobody in, and fits the program."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.raycluster_rules import RAY_CLUSTER, templates

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "deploy" / "kuberay.yaml"
BIN = Path(sys.executable).parent
VERSIONS = ("1.30", "1.34")


def objects() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(MANIFESTS.read_text()))


def the(kind: str, name: str) -> dict[str, Any]:
    return next(one for one in objects() if one["kind"] == kind and one["metadata"]["name"] == name)


def cluster() -> dict[str, Any]:
    return the("RayCluster", "gridmesh")


def pods() -> dict[str, dict[str, Any]]:
    """Return the specification of each kind of pod."""
    found = {name: template["template"]["spec"] for name, template in templates(cluster()).items()}
    return {**found, "redis": the("StatefulSet", "gridmesh-redis")["spec"]["template"]["spec"]}


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=280, check=False)


def kubernetes_says(folder: Path, manifests: list[dict[str, Any]], version: str) -> str:
    """Return the complaints of the schema validator, strict about keys that do not exist."""
    file = folder / "objects.yaml"
    file.write_text(yaml.safe_dump_all(manifests))
    ended = run(str(BIN / "kubernetes-validate"), "--strict", "--quiet", "-k", version, str(file))
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


def kuberay_says(folder: Path, manifest: dict[str, Any]) -> str:
    (folder / "schema.json").write_text(json.dumps(RAY_CLUSTER))
    (folder / "cluster.json").write_text(json.dumps(manifest))
    ended = run(
        str(BIN / "check-jsonschema"), "--schemafile", str(folder / "schema.json"), str(folder / "cluster.json")
    )
    return "" if ended.returncode == 0 else ended.stdout


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_fits_kubernetes_s_own_schema(tmp_path: Path, version: str) -> None:
    ours = [one for one in objects() if one["kind"] != "RayCluster"] + list(templates(cluster()).values())

    assert kubernetes_says(tmp_path, ours, version) == ""


def test_a_key_that_kubernetes_does_not_know_would_be_seen(tmp_path: Path) -> None:
    wrong = templates(cluster())["account"]
    wrong["template"]["spec"]["containers"][0]["livenesProbe"] = {}

    assert "livenesProbe" in kubernetes_says(tmp_path, [wrong], VERSIONS[0])


def test_the_cluster_fits_kuberay_and_a_key_that_it_does_not_know_would_be_seen(tmp_path: Path) -> None:
    assert kuberay_says(tmp_path, cluster()) == ""
    wrong = cluster()
    wrong["spec"]["gcsFaultTolerance"] = {}
    wrong["spec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] = 1

    complaints = kuberay_says(tmp_path, wrong)
    assert "gcsFaultTolerance" in complaints
    assert "num-cpus" in complaints


def test_kubectl_reads_the_file_as_we_do(tmp_path: Path) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not here")
    (tmp_path / "kuberay.yaml").write_text(MANIFESTS.read_text())
    (tmp_path / "kustomization.yaml").write_text("resources: [kuberay.yaml]\n")
    ended = run(kubectl, "kustomize", str(tmp_path))

    assert ended.returncode == 0, ended.stderr
    theirs = list(yaml.safe_load_all(ended.stdout))
    order = json.JSONEncoder(sort_keys=True).encode
    assert sorted(map(order, theirs)) == sorted(map(order, objects()))


def test_no_pod_runs_as_root_or_with_rights_and_each_is_bounded_and_probed() -> None:
    for name, pod in pods().items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] > 0, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        (container,) = pod["containers"]
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False, name
        assert security["readOnlyRootFilesystem"] is True, name
        assert security["capabilities"] == {"drop": ["ALL"]}, name
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
        assert "memory" in container["resources"]["limits"], name
        assert {"readinessProbe", "livenessProbe"} <= container.keys(), name


def test_nobody_comes_in_but_ray_s_own_nodes_and_prometheus_to_the_metrics() -> None:
    closed = the("NetworkPolicy", "closed")["spec"]
    assert (closed["podSelector"], set(closed["policyTypes"])) == ({}, {"Ingress", "Egress"})
    assert "ingress" not in closed
    allowed = {
        one["metadata"]["name"]: one["spec"].get("ingress", []) for one in objects() if one["kind"] == "NetworkPolicy"
    }
    nodes, prometheus = allowed.pop("ray-nodes")
    assert nodes == {"from": [{"podSelector": {"matchLabels": {"ray.io/cluster": "gridmesh"}}}]}
    assert prometheus["ports"] == [{"protocol": "TCP", "port": 8080}]
    (to_redis,) = allowed.pop("redis")
    assert to_redis["ports"] == [{"protocol": "TCP", "port": 6379}]
    assert not any(allowed.values())
    kinds = {one["kind"] for one in objects()}
    assert not kinds & {"Ingress", "Gateway"}
    assert cluster()["spec"]["headGroupSpec"]["serviceType"] == "ClusterIP"


def test_keys_are_at_the_account_s_node_alone_and_nothing_secret_stands_in_the_file() -> None:
    assert [one for one in objects() if one["kind"] in ("Secret", "ConfigMap")] == []
    holders = {name for name, pod in pods().items() if "gridmesh-venue" in json.dumps(pod)}
    assert holders == {"account"}
    for pod in pods().values():
        for variable in pod["containers"][0].get("env", ()):
            assert not ("value" in variable and any(w in variable["name"] for w in ("KEY", "SECRET", "TOKEN", "PASS")))


def test_the_account_s_node_is_one_and_its_stop_has_time() -> None:
    group = next(one for one in cluster()["spec"]["workerGroupSpecs"] if one["groupName"] == "account")
    pod = group["template"]["spec"]
    (container,) = pod["containers"]
    stop_s = next(int(one["value"]) for one in container["env"] if one["name"] == "GRIDMESH_STOP_S")

    assert group["minReplicas"] == group["maxReplicas"] == group["replicas"] == 1
    assert pod["terminationGracePeriodSeconds"] > stop_s
    assert "persistentVolumeClaim" in json.dumps(pod["volumes"])


def test_every_group_is_told_the_same_about_health() -> None:
    told = []
    for name, pod in pods().items():
        if name != "redis":
            told.append({e["name"]: e["value"] for e in pod["containers"][0]["env"] if e["name"].startswith("RAY_")})

    assert told[0] == told[1] == told[2]
    assert told[0]["RAY_gcs_rpc_server_reconnect_timeout_s"] == "600"
