#!/bin/sh
# Make sure that containers can be run, for the architecture given; exits 2 where they cannot.
set -eu
cd "$(dirname "$0")/.."

prepare=../shared/sam-local/prepare
if [ -x $prepare ]; then $prepare --runtime python3.13 --arch "$1"; fi
docker info >/dev/null 2>&1 || { echo "sam-test: needs Docker, and no engine answers (docker info)" >&2; exit 2; }
