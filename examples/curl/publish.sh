#!/usr/bin/env bash
# Publishes the end of a reservation: publish.sh [USER] [SEAT] [SUCCESS|FAIL]
set -euo pipefail
curl -sS -X POST "${PUSH_URL:-http://localhost:8000}/internal/events" -H "x-api-key: ${PUSH_KEY:-local-key}" -H 'content-type: application/json' \
  -d "{\"events\":[{\"source\":\"ticket.reservation\",\"detailType\":\"ReservationSettled\",\"detail\":{\"userId\":${1:-100},\"seatId\":${2:-55},\"status\":\"${3:-SUCCESS}\"}}]}"
echo
