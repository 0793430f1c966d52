#!/bin/sh
# Makes the environment of one foreign client below .judges/ and prints its interpreter.
#   scripts/judges.sh CLIENT [PYTHON]
# Does nothing but print when it is there already and the locked requirements have not changed.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "planar: $1" >&2
    exit 1
}

client=$1
python=${2:-.venv/bin/python}
requirements=requirements/judges/$client.txt
[ -f "$requirements" ] || fail "there is no $requirements"

home=.judges/$client
wanted=$(cksum <"$requirements")
if [ -x "$home/bin/python" ] && [ "$(cat "$home/.requirements" 2>/dev/null || true)" = "$wanted" ]; then
    echo "$(pwd)/$home/bin/python"
    exit 0
fi

uv=.tools/bin/uv
[ -x "$uv" ] || uv=$(command -v uv) || fail "uv is not there; run: make setup"
UV_PYTHON_DOWNLOADS=never
UV_SYSTEM_CERTS=true
export UV_PYTHON_DOWNLOADS UV_SYSTEM_CERTS

mkdir -p .judges
echo '*' >.judges/.gitignore
echo "planar: setting up the environment of $client (once)" >&2
"$uv" venv --quiet --clear --python "$python" "$home" >&2 || fail "$home cannot be made"
"$uv" pip sync --quiet --python "$home/bin/python" --require-hashes "$requirements" >&2 ||
    fail "$requirements cannot be installed"
echo "$wanted" >"$home/.requirements"
echo "$(pwd)/$home/bin/python"
