#!/bin/sh
# Make build/sam-venv with the SAM CLI of its own lock file. Safe to run again; needs .venv, for uv.
set -eu
cd "$(dirname "$0")/.."

venv=build/sam-venv
want=$(cksum <tests/sam/requirements.lock)
[ -f $venv/.installed ] && [ "$(cat $venv/.installed)" = "$want" ] && exit 0

echo "setup: installing the SAM CLI into $venv (once)" >&2
.venv/bin/uv venv --quiet --clear --python .venv/bin/python $venv
.venv/bin/uv pip install --quiet --compile-bytecode --python $venv/bin/python --require-hashes -r tests/sam/requirements.lock
echo "$want" >$venv/.installed
