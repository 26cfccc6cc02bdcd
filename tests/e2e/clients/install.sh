#!/usr/bin/env bash
# Installs the clients that the end-to-end tests drive: langchain-openai and litellm in a virtual
# environment of their own (they pin much), and the openai package of npm beside its program.
#
#   tests/e2e/clients/install.sh [FOLDER]        default: .venv-clients in the repository
#
# PYTHON names the interpreter (3.11 to 3.13; default python3). Without npm the JavaScript client is
# left out, and its tests are skipped (in CI that is an error). A second call with nothing changed
# returns at once.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly environment=${1:-"$here/../../../.venv-clients"}
readonly python=${PYTHON:-python3}
readonly marker="$environment/.ecoguard-installed"

stage() { printf 'clients: %s\n' "$1"; }

fail() {
    printf 'clients: %s\n' "$1" >&2
    exit 1
}

# Runs a command quietly; shows its last lines only when it fails.
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "failed: $1"
    fi
    rm -f "$log"
}

command -v "$python" >/dev/null || fail "no interpreter '$python'; set PYTHON"
npm=$(command -v npm || true)
if [[ -z $npm && -n ${CI:-} ]]; then
    fail "npm is missing"
fi

fingerprint=$({
    cat "$here/requirements.txt" "$here/package-lock.json"
    "$python" --version
    printf 'npm: %s\n' "${npm:+present}"
} | "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')

if [[ -f $marker && $(<"$marker") == "$fingerprint" && (-z $npm || -d $here/node_modules) ]]; then
    stage "already installed in $environment"
    exit 0
fi

stage "1/2 Python clients in $environment"
"$python" -m venv --clear "$environment"
# The list is closed: resolving it again would take longer than installing it.
quietly "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
    --no-deps --no-compile --requirement "$here/requirements.txt"
if [[ -n $npm ]]; then
    stage "2/2 JavaScript client in $here/node_modules"
    quietly "$npm" ci --prefix "$here" --ignore-scripts --no-audit --no-fund
else
    stage "2/2 no npm here: the JavaScript client's tests will be skipped"
fi
printf '%s\n' "$fingerprint" >"$marker"
stage "ready"
