#!/usr/bin/env bash
# Follows a buyer's place in a waiting queue as Server-Sent Events, and comes back with the last id: stream.sh [USER] [CONCERT]
set -euo pipefail
url=${PUSH_URL:-http://localhost:8000}
id=""
while true; do
  # curl ends with its stream: it is opened again
  while IFS= read -r line; do
    case $line in
      id:*) id=${line#id: } ;;
      data:*) printf '%s\n' "${line#data: }" ;;
    esac
  done < <(curl -sN ${id:+-H "Last-Event-ID: $id"} "$url/api/v1/waiting-queue/subscribe?userId=${1:-100}&concertId=${2:-1}" || true)
  echo "the stream ended; opening it again" >&2
  sleep 1
done
