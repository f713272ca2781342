#!/bin/sh
# Check that containers of the given architecture can run; exit with 2 where they cannot.
# SAM_ENGINE_PREPARE may name an executable that installs or starts the engine and makes the base image; it is called
# with `--runtime python3.13 --arch <architecture>`.
set -eu
cd "$(dirname "$0")/.."

if [ -n "${SAM_ENGINE_PREPARE:-}" ]; then "$SAM_ENGINE_PREPARE" --runtime python3.13 --arch "$1"; fi
docker info >/dev/null 2>&1 || { echo "sam-test: needs Docker, and no engine answers (docker info)" >&2; exit 2; }
