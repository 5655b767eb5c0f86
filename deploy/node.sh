#!/usr/bin/env bash
# One node of a Gridmesh cluster: compose.yaml starts it by role, kuberay.yaml uses `launch` and `withdraw` as hooks.
#   head                 Ray's head; its state lies in Redis where RAY_REDIS_ADDRESS is set
#   worker               a node for symbols
#   account CONFIG       the node with keys and journal: starts its Ray node, then the deployment; on SIGTERM it
#                        withdraws the orders and verifies that before its Ray node ends
#   launch CONFIG        starts the deployment once this machine's Ray node is up; joins it where it runs already
#   withdraw CONFIG      stops the deployment: own orders cancelled and verified gone
# GRIDMESH_LIVE=yes means real money, where the configuration consents to it too; else a run is on paper.
# More words after the first three are arguments of `ray start`. Everything else is run as a `gridmesh` command.
set -euo pipefail

HEAD=${GRIDMESH_HEAD:-head:6379}
RESOURCES=${GRIDMESH_RESOURCES:-{\}}
METRICS_PORT=${GRIDMESH_METRICS_PORT:-8080}
OBJECT_STORE_BYTES=${GRIDMESH_OBJECT_STORE_BYTES:-80000000}
STOP_S=${GRIDMESH_STOP_S:-150}
START_S=${GRIDMESH_START_S:-120}

# Health: a node that is cut off for 20 s lives on, one that is gone for a minute is dead and its actors start elsewhere;
# workers wait ten minutes for a head that restarts, and go on trading meanwhile.
export RAY_health_check_initial_delay_ms=${RAY_health_check_initial_delay_ms:-5000}
export RAY_health_check_period_ms=${RAY_health_check_period_ms:-5000}
export RAY_health_check_timeout_ms=${RAY_health_check_timeout_ms:-5000}
export RAY_health_check_failure_threshold=${RAY_health_check_failure_threshold:-6}
export RAY_gcs_rpc_server_reconnect_timeout_s=${RAY_gcs_rpc_server_reconnect_timeout_s:-600}
export RAY_AUTH_MODE=${RAY_AUTH_MODE:-token}

say() { printf 'node: %s\n' "$*" >&2; }

common=(--block --disable-usage-stats "--metrics-export-port=$METRICS_PORT" "--object-store-memory=$OBJECT_STORE_BYTES"
    "--resources=$RESOURCES")
[[ -z ${GRIDMESH_RAY_FOLDER:-} ]] || common+=("--temp-dir=$GRIDMESH_RAY_FOLDER")
[[ -z ${GRIDMESH_NODE_ADDRESS:-} ]] || common+=("--node-ip-address=$GRIDMESH_NODE_ADDRESS")

start_head() {
    local password=()
    # Ray takes it as an argument only, which processes of this container can see and no other.
    [[ -z ${REDIS_PASSWORD_FILE:-} ]] || password=("--redis-password=$(<"$REDIS_PASSWORD_FILE")")
    exec ray start --head "--port=${HEAD##*:}" --dashboard-host="${GRIDMESH_DASHBOARD_HOST:-127.0.0.1}" \
        "--include-dashboard=${GRIDMESH_DASHBOARD:-true}" "${password[@]}" "${common[@]}" "$@"
}

# The head's address may be refused for a while after its container has started.
until_head_answers() {
    local deadline=$((SECONDS + START_S))
    until (exec 3<>"/dev/tcp/${HEAD%:*}/${HEAD##*:}") 2>/dev/null; do
        ((SECONDS < deadline)) || { say "no Ray head answers at $HEAD"; exit 1; }
        sleep 1
    done
}

# 7 is a refusal to start: the sentence is said, and a person has to act. Anything else may be a node that is not up yet.
launch() {
    local deadline=$((SECONDS + START_S)) status=0 live=()
    [[ ${GRIDMESH_LIVE:-} != yes ]] || live=(--live)
    while [[ -z $ENDING ]]; do
        status=0
        gridmesh run "${live[@]}" "$1" --json || status=$?
        case $status in
            0) return 0 ;;
            4 | 7) return "$status" ;;
        esac
        ((SECONDS < deadline)) || return "$status"
        sleep 2
    done
}

withdraw() {
    local deployment status=0
    deployment=$(deployment_of "$1") || { say "the configuration $1 names no deployment"; return 1; }
    # 3: it does not run, so there is nothing to withdraw
    gridmesh stop --deployment "$deployment" --timeout "$STOP_S" --json || status=$?
    ((status == 0 || status == 3)) || say "NOT verified ($status): gridmesh panic $1 cancels own orders without Ray"
    ((status != 3)) || status=0
    return "$status"
}

deployment_of() { sed -n 's/^deployment:[[:space:]]*\([a-z0-9-]*\).*/\1/p' "$1" | grep -m1 .; }

# What a trap sets is global: it may run inside any function, whose own variables would hide the names.
RAY_NODE='' ENDING='' OUTCOME=0

end_node() { kill -TERM "$RAY_NODE" 2>/dev/null || true; }

on_signal() {
    [[ -z $ENDING ]] || return 0
    ENDING=yes
    say "stopping"
    withdraw "$CONFIG" || OUTCOME=1
    end_node
}

account() {
    CONFIG=$1
    shift
    until_head_answers
    ray start "--address=$HEAD" "${common[@]}" "$@" &
    RAY_NODE=$!
    trap on_signal TERM INT
    launch "$CONFIG" || refused=$?
    if [[ -n ${refused:-} && -z $ENDING ]]; then
        ENDING=yes OUTCOME=$refused
        say "it did not start ($refused)"
        end_node
    fi
    # a signal ends `wait` early, so it is asked again until the node is gone
    while kill -0 "$RAY_NODE" 2>/dev/null; do wait "$RAY_NODE" || true; done
    [[ -n $ENDING ]] || { OUTCOME=1; say "its Ray node has died: orders rest until it is back"; }
    exit "$OUTCOME"
}

case ${1:-help} in
    head) start_head "${@:2}" ;;
    worker) until_head_answers && exec ray start "--address=$HEAD" "${common[@]}" "${@:2}" ;;
    account) account "${2:?the configuration is missing}" "${@:3}" ;;
    launch) launch "${2:?the configuration is missing}" ;;
    withdraw) withdraw "${2:?the configuration is missing}" ;;
    help) exec gridmesh --help ;;
    *) exec gridmesh "$@" ;;
esac
