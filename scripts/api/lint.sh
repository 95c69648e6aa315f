#!/usr/bin/env bash
# Lints docs/api/ by the rules of Redocly and of AsyncAPI's own parser. It installs both into .lint-api/.
set -euo pipefail
cd "$(dirname "$0")/../.."

npm install --silent --no-save --no-package-lock --ignore-scripts --prefix .lint-api @redocly/cli@2.77.0 @asyncapi/parser@3.6.6
REDOCLY_TELEMETRY=off .lint-api/node_modules/.bin/redocly lint --max-problems 20 docs/api/openapi.json
cp scripts/api/lint-asyncapi.mjs .lint-api/
node .lint-api/lint-asyncapi.mjs docs/api/asyncapi.json
