#!/bin/sh
# Make .venv with the packages of requirements.lock, the project and its SDK. Does nothing if both are up to date.
# Installs nothing outside this folder.
set -eu
cd "$(dirname "$0")/.."

lock_checksum=$(cat scripts/requirements.lock requirements.lock | cksum)
project_checksum=$(cat pyproject.toml sdk/pyproject.toml | cksum)
is_current() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

install_packages() {
    python="" without_venv=""
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        "$candidate" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null || continue
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then python=$candidate; break; fi
        without_venv=${without_venv:-$candidate}
    done
    if [ -z "$python" ] && [ -n "$without_venv" ]; then
        version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        echo "setup: $without_venv lacks the module venv; on Debian or Ubuntu, install it: apt-get install python$version-venv" >&2
        exit 1
    fi
    [ -n "$python" ] || {
        echo "setup: no Python 3.11 or newer found; install one or name it: make PYTHON=/path/to/python3 ..." >&2; exit 1; }

    echo "setup: installing into .venv (once)" >&2
    "$python" -m venv --clear .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r scripts/requirements.lock
    # Any index may serve a package, as with pip: the hashes identify the right file.
    scripts/uv pip install --quiet --python .venv/bin/python --index-strategy unsafe-best-match \
        --require-hashes -r requirements.lock
    echo "$lock_checksum" >.venv/.locked
}

is_current .venv/.locked "$lock_checksum" || install_packages
is_current .venv/.project "$project_checksum" || {
    scripts/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable . --editable ./sdk
    echo "$project_checksum" >.venv/.project
}
