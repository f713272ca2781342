#!/bin/sh
# Make build/mutants-venv with the mutation tool of its own lock file, on top of .venv's packages. Does nothing if it
# is up to date; needs uv from .venv.
set -eu
cd "$(dirname "$0")/.."

venv=build/mutants-venv
lock_checksum=$(cat tests/mutants/requirements.lock requirements.lock | cksum)
[ -f $venv/.locked ] && [ "$(cat $venv/.locked)" = "$lock_checksum" ] && exit 0

echo "setup: installing the mutation tool into $venv (once)" >&2
scripts/uv venv --quiet --clear --python .venv/bin/python $venv
scripts/uv pip install --quiet --compile-bytecode --python $venv/bin/python --index-strategy unsafe-best-match \
    --require-hashes -r tests/mutants/requirements.lock
packages() { "$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }
packages .venv >"$(packages $venv)/project.pth"
echo "$lock_checksum" >$venv/.locked
