#!/bin/sh
# Make build/openapi-venv with the client generator of its own lock file. Does nothing if it is up to date; needs uv
# from .venv.
set -eu
cd "$(dirname "$0")/.."

venv=build/openapi-venv
lock_checksum=$(cksum <tests/openapi/requirements.lock)
[ -f $venv/.locked ] && [ "$(cat $venv/.locked)" = "$lock_checksum" ] && exit 0

echo "setup: installing the client generator into $venv (once)" >&2
scripts/uv venv --quiet --clear --python .venv/bin/python $venv
scripts/uv pip install --quiet --compile-bytecode --python $venv/bin/python --index-strategy unsafe-best-match \
    --require-hashes -r tests/openapi/requirements.lock
echo "$lock_checksum" >$venv/.locked
