#!/bin/sh
# Make build/sam-venv with the SAM CLI of its own lock file. Does nothing if it is up to date; needs uv from .venv.
set -eu
cd "$(dirname "$0")/.."

venv=build/sam-venv
lock_checksum=$(cksum <tests/sam/requirements.lock)
[ -f $venv/.locked ] && [ "$(cat $venv/.locked)" = "$lock_checksum" ] && exit 0

echo "setup: installing the SAM CLI into $venv (once)" >&2
scripts/uv venv --quiet --clear --python .venv/bin/python $venv
scripts/uv pip install --quiet --compile-bytecode --python $venv/bin/python --index-strategy unsafe-best-match \
    --require-hashes -r tests/sam/requirements.lock
echo "$lock_checksum" >$venv/.locked
