#!/bin/sh
# Makes the environment in .venv from a machine that has only Python 3.11+ and a package index.
# Does nothing when it is there already and the locked requirements have not changed.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "planar: $1" >&2
    exit 1
}

wanted=$(cat requirements/tools.txt requirements/dev.txt pyproject.toml | cksum)
if [ -x .venv/bin/python ] && [ "$(cat .venv/.planar-requirements 2>/dev/null || true)" = "$wanted" ]; then
    exit 0
fi

log=.bootstrap.log
: >"$log"

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

python=
for candidate in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate"; then
        python=$(command -v "$candidate")
        break
    fi
done
[ -n "$python" ] || fail "no Python 3.11 or newer was found; install one, or name it: make PYTHON=/path/to/python3"

make_tools() {
    rm -rf .tools
    "$python" -m venv .tools >>"$log" 2>&1
}

echo "planar: setting up with $python (once; the log is $log)" >&2
if ! make_tools; then
    # Debian and Ubuntu split venv off Python
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        { apt-get update && apt-get install -y --no-install-recommends python3-venv; } >>"$log" 2>&1 || true
    fi
    make_tools || fail "$python cannot make a virtual environment; install its venv module (Debian: apt-get install python3-venv); see $log"
fi
.tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.txt >>"$log" 2>&1 ||
    fail "the package index cannot be reached (or refused uv); see the last lines of $log"

UV_PYTHON_DOWNLOADS=never
UV_SYSTEM_CERTS=true
export UV_PYTHON_DOWNLOADS UV_SYSTEM_CERTS
.tools/bin/uv venv --quiet --clear --python "$python" .venv >>"$log" 2>&1 || fail ".venv cannot be made; see $log"
# compiled now, as pip does it: else each process compiles CCXT again where PYTHONDONTWRITEBYTECODE is set
.tools/bin/uv pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes requirements/dev.txt >>"$log" 2>&1 ||
    fail "the locked requirements cannot be installed; see the last lines of $log"
.tools/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable . >>"$log" 2>&1 ||
    fail "Planar itself cannot be installed; see the last lines of $log"
.venv/bin/python -m compileall -q src tests benchmarks >>"$log" 2>&1 || fail "Planar does not compile; see the last lines of $log"
echo "$wanted" >.venv/.planar-requirements
