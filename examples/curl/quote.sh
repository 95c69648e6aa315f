#!/usr/bin/env bash
# Reads a quote, and the position from which a subscription goes on: quote.sh [TICKER]
set -euo pipefail
curl -sS --fail-with-body -D - "${PUSH_URL:-http://localhost:8000}/api/kr/stocks/${1:-005930}/realtime-price" | grep -iE '^push-position|^\{'
