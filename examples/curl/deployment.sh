#!/usr/bin/env bash
# Tells the dashboards of a step of a deployment, from a CI pipeline: deployment.sh ID EVENT PROGRESS MESSAGE
# such as: deployment.sh 42 deployment_started 0 'the build begins'
set -euo pipefail
case ${2:-} in *_completed) status=completed ;; *_failed) status=failed ;; *) status=in_progress ;; esac
curl -sS --fail-with-body -X POST "${PUSH_URL:-http://localhost:8000}/internal/events" -H "x-api-key: ${PUSH_KEY:-local-key}" -H 'content-type: application/json' \
  -d "{\"events\":[{\"source\":\"ops.monitor\",\"detailType\":\"PoscoChanged\",\"detail\":{\"event_type\":\"${2:-deployment_started}\",\"deployment_id\":\"${1:-1}\",\"branch\":\"${GITHUB_REF_NAME:-main}\",\"commit_hash\":\"${GITHUB_SHA:-}\",\"status\":\"$status\",\"progress\":${3:-0},\"message\":\"${4:-}\"}}]}"
echo
