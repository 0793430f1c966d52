#!/bin/sh
# Compiles requirements/<name>.txt: versions and hashes, no address of any index.
set -eu
cd "$(dirname "$0")/.."
case "$1" in
tools) inputs="requirements/tools.in" ;;
runtime) inputs="pyproject.toml" ;;
dev) inputs="pyproject.toml requirements/dev.in" ;;
*) echo "usage: scripts/lock.sh tools|runtime|dev" >&2; exit 2 ;;
esac
# shellcheck disable=SC2086
exec .tools/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
    --no-emit-index-url --no-header $inputs -o "requirements/$1.txt"
