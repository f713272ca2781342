#!/bin/sh
# Make .venv with everything the project's own lock file names. Safe to run again; a no-op when nothing changed.
set -eu
cd "$(dirname "$0")/.."

stamp=.venv/.installed
want=$(cksum <requirements.lock)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && exit 0

usable() { "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; }
python=""
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if usable "$candidate"; then python=$candidate; break; fi
done
[ -n "$python" ] || { echo "setup: no Python 3.11 or newer found; install one or name it: make PYTHON=/path/to/python3 ..." >&2; exit 1; }

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    # Debian and Ubuntu ship venv apart from Python.
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    asroot=""
    [ "$(id -u)" = 0 ] || asroot="sudo"
    echo "setup: installing python$version-venv" >&2
    $asroot apt-get update -qq && DEBIAN_FRONTEND=noninteractive $asroot apt-get install -y -qq "python$version-venv" >&2 || {
        echo "setup: Python's venv module is missing; run: apt-get install python$version-venv" >&2; exit 1; }
fi

echo "setup: installing into .venv (once)" >&2
"$python" -m venv --clear .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.9,<1"
.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements.lock
echo "$want" >"$stamp"
