#!/usr/bin/env bash
# Checks that a deployment offers the transports of its mode (APP_PUSH_MODE), and turns the others off as ticket pages expect.
# It finds the mode itself, prints what it saw, and ends with 1 if that does not fit.
set -euo pipefail

usage() {
  cat <<'END'
usage: scripts/api/v13-websocket-switching.sh [BASE_URL]     http://localhost:8000 by default
  TOKEN=…   a token of user 100, if the deployment asks for one
  MODE=sse|websocket|both   the mode that it must be in; by default any
needs curl and Node 20.19 or newer
END
}

case "${1:-}" in -h | --help) usage && exit 0 ;; -*) usage >&2 && exit 1 ;; esac
for tool in curl node; do command -v "$tool" >/dev/null || { echo "$tool is missing" >&2 && usage >&2 && exit 1; }; done

base=${1:-http://localhost:8000}
base=${base%/}
here=$(cd "$(dirname "$0")" && pwd)
registrations=(waiting-queue:concertId:1 reservations:seatId:55)
streams=(/api/v1/waiting-queue/subscribe?userId=100\&concertId=1 /api/reservations/v5/subscribe?userId=100\&seatId=55)
auth=()
[ -n "${TOKEN:-}" ] && auth=(-H "authorization: Bearer $TOKEN")
failed=0
checked=0

# ask METHOD PATH [BODY]: sets $status and $body. A stream goes on, and is read for two seconds.
ask() {
  local answer
  answer=$(curl -sS -N -m 2 -X "$1" ${auth[@]+"${auth[@]}"} -H 'content-type: application/json' ${3:+-d "$3"} -w '\n%{http_code}' "$base$2" 2>/dev/null || true)
  status=${answer##*$'\n'}
  body=${answer%$'\n'*}
}

# value NAME: a value of the JSON in $body, by its path, such as details.mode
value() {
  node -e 'let at = null; try { at = JSON.parse(process.argv[1]); for (const name of process.argv[2].split(".")) at = at?.[name]; } catch {} console.log(at ?? "");' "$body" "$1"
}

# check WHAT SEEN EXPECTED
check() {
  checked=$((checked + 1))
  if [ "$2" = "$3" ]; then
    printf 'ok    %-58s %s\n' "$1" "$2"
  else
    failed=$((failed + 1))
    printf 'FAIL  %-58s %s, expected %s\n' "$1" "${2:-nothing}" "$3"
  fi
}

# on KIND: whether the mode offers it
on() { [ "$mode" = both ] || [ "$mode" = "$1" ]; }

ask POST /api/push/websocket/waiting-queue/subscriptions '{"userId":100,"concertId":1}'
case "$status" in
  200) registered=yes ;;
  409) registered=no ;;
  000) echo "nothing answers at $base" >&2 && exit 1 ;;
  *) echo "$base answers a registration with $status: $body" >&2 && exit 1 ;;
esac
mode=$(value details.mode)
if [ -z "$mode" ]; then
  ask GET "${streams[0]}"
  [ "$status" = 409 ] && mode=$(value details.mode) || mode=both
fi
echo "$base is in mode $mode"
[ -n "${MODE:-}" ] && check "the mode" "$mode" "$MODE"
check "registrations are taken" "$registered" "$(on websocket && echo yes || echo no)"

for one in "${registrations[@]}"; do
  IFS=: read -r name key id <<<"$one"
  path=/api/push/websocket/$name/subscriptions
  ask POST "$path" "{\"userId\":100,\"$key\":$id}"
  if on websocket; then
    check "POST $name" "$status $(value transport) $(value destination)" "200 websocket /topic/$name/$id/100"
  else
    check "POST $name" "$status $(value error_code) $(value details.mode)" "409 CHANNEL_DISABLED sse"
  fi
  ask DELETE "$path?userId=100&$key=$id"
  check "DELETE $name" "$status$body" 204
done

for path in "${streams[@]}"; do
  ask GET "$path"
  if on sse; then
    check "GET ${path%%\?*}" "$status $(printf %s "$body" | head -c 1)" "200 :"
  else
    check "GET ${path%%\?*}" "$status $(value error_code) $(value details.mode)" "409 CHANNEL_DISABLED websocket"
  fi
done

stomp() { node "$here/stomp-session.mjs" "$base" "$1"; }
if on websocket; then
  check "STOMP, with its subprotocol" "$(stomp v12.stomp)" "101 v12.stomp CONNECTED RECEIPT"
  check "STOMP, an old client without subprotocol" "$(stomp '')" "101 CONNECTED RECEIPT"
else
  check "STOMP, with its subprotocol" "$(stomp v12.stomp)" 409
  check "STOMP, an old client without subprotocol" "$(stomp '')" "101 ERROR"
fi

echo "$((checked - failed)) of $checked checks passed in mode $mode"
[ "$failed" = 0 ]
