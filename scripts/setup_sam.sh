#!/bin/sh
# Make build/sam-venv with the SAM CLI of its own lock file. A no-op when nothing has changed; needs .venv, for uv.
set -eu
cd "$(dirname "$0")/.."

venv=build/sam-venv
locked=$(cksum <tests/sam/requirements.lock)
[ -f $venv/.locked ] && [ "$(cat $venv/.locked)" = "$locked" ] && exit 0

echo "setup: installing the SAM CLI into $venv (once)" >&2
scripts/uv venv --quiet --clear --python .venv/bin/python $venv
scripts/uv pip install --quiet --compile-bytecode --python $venv/bin/python --index-strategy unsafe-best-match \
    --require-hashes -r tests/sam/requirements.lock
echo "$locked" >$venv/.locked
