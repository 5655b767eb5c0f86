"""What KubeRay's RayCluster takes (ray.io/v1 of KubeRay 1.5), as a schema; pod templates are Kubernetes's own."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}


def closed(properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    """Return an object that has these keys and no other: the API server drops what it does not know, without a word."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


CREDENTIAL = closed({"value": TEXT, "valueFrom": {"type": "object"}})
TEMPLATE = {"type": "object", "required": ["spec"]}
SERVICES = ["ClusterIP", "NodePort", "LoadBalancer"]
HEAD = closed(
    {
        "template": TEMPLATE,
        "rayStartParams": TEXTS,
        "serviceType": {"enum": SERVICES},
        "headService": {"type": "object"},
        "enableIngress": FLAG,
        "resources": TEXTS,
        "labels": TEXTS,
    },
    ("template", "rayStartParams"),
)
WORKERS = closed(
    {
        "groupName": {"type": "string", "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$"},
        "replicas": COUNT,
        "minReplicas": COUNT,
        "maxReplicas": COUNT,
        "numOfHosts": COUNT,
        "idleTimeoutSeconds": COUNT,
        "suspend": FLAG,
        "rayStartParams": TEXTS,
        "template": TEMPLATE,
        "scaleStrategy": {"type": "object"},
        "resources": TEXTS,
        "labels": TEXTS,
    },
    ("groupName", "minReplicas", "maxReplicas", "rayStartParams", "template"),
)
FAULT_TOLERANCE = closed(
    {
        "redisAddress": TEXT,
        "redisUsername": CREDENTIAL,
        "redisPassword": CREDENTIAL,
        "externalStorageNamespace": TEXT,
    },
    ("redisAddress",),
)
SPEC = closed(
    {
        "rayVersion": TEXT,
        "authOptions": closed(
            {"mode": {"enum": ["disabled", "token"]}, "secretName": TEXT, "enableK8sTokenAuth": FLAG}
        ),
        "gcsFaultToleranceOptions": FAULT_TOLERANCE,
        "headGroupSpec": HEAD,
        "workerGroupSpecs": {"type": "array", "items": WORKERS},
        "suspend": FLAG,
        "managedBy": TEXT,
        "headServiceAnnotations": TEXTS,
        "enableInTreeAutoscaling": FLAG,
        "autoscalerOptions": {"type": "object"},
        "upgradeStrategy": {"type": "object"},
    },
    ("headGroupSpec",),
)
RAY_CLUSTER = closed(
    {
        "apiVersion": {"const": "ray.io/v1"},
        "kind": {"const": "RayCluster"},
        "metadata": {"type": "object", "required": ["name"]},
        "spec": SPEC,
    },
    ("apiVersion", "kind", "metadata", "spec"),
)


def templates(cluster: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the pod template of each group, as an object that Kubernetes's own schema knows."""
    spec = cluster["spec"]
    groups = {"head": spec["headGroupSpec"], **{one["groupName"]: one for one in spec["workerGroupSpecs"]}}
    return {
        name: {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": name}, "template": group["template"]}
        for name, group in groups.items()
    }
