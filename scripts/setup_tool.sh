#!/bin/sh
# Make build/NAME-venv with a tool that has a lock file of its own, tests/NAME/requirements.lock. Does nothing if it is
# up to date; needs uv from .venv. Usage: scripts/setup_tool.sh NAME "the tool"
set -eu
cd "$(dirname "$0")/.."

lock=tests/$1/requirements.lock venv=build/$1-venv
lock_checksum=$(cksum <"$lock")
[ -f "$venv/.locked" ] && [ "$(cat "$venv/.locked")" = "$lock_checksum" ] && exit 0

echo "setup: installing $2 into $venv (once)" >&2
scripts/uv venv --quiet --clear --python .venv/bin/python "$venv"
scripts/uv pip install --quiet --compile-bytecode --python "$venv/bin/python" --index-strategy unsafe-best-match \
    --require-hashes -r "$lock"
echo "$lock_checksum" >"$venv/.locked"
