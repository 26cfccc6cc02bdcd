#!/usr/bin/env bash
# Installs the operators' programs that the tests of deploy/ call: Prometheus and promtool, from
# Debian's packages. Where they cannot be had the tests say so: they are skipped, but fail in CI.
set -euo pipefail

stage() { printf 'deployment: %s\n' "$1"; }

if command -v promtool >/dev/null && command -v prometheus >/dev/null; then
    stage "prometheus is installed"
elif command -v apt-get >/dev/null && [[ $(id -u) == 0 ]]; then
    stage "prometheus, from Debian's packages"
    # No package lists yet on a new machine; no service is started, the tests start their own.
    apt-get install --yes --quiet=2 --no-install-recommends prometheus >/dev/null 2>&1 ||
        { apt-get update --quiet=2 && apt-get install --yes --quiet=2 --no-install-recommends \
            prometheus >/dev/null; }
else
    stage "no apt-get, or not root: install the package prometheus by hand"
fi
