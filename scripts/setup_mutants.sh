#!/bin/sh
# Make build/mutants-venv with the mutation tool, on top of .venv's packages.
set -eu
cd "$(dirname "$0")/.."

scripts/setup_tool.sh mutants "the mutation tool"
packages() { "$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }
packages .venv >"$(packages build/mutants-venv)/project.pth"
