#!/usr/bin/env bash
# Installs the servers that tests start for themselves, Redis and PostgreSQL, from Debian's packages.
# Where one cannot be had its tests are skipped, and the summary of the tests says so.
#
#   tests/install-servers.sh
set -euo pipefail

stage() { printf 'servers: %s\n' "$1"; }

has_postgresql() {
    command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

wanted=()
command -v redis-server >/dev/null || wanted+=(redis-server)
has_postgresql || wanted+=(postgresql)
if [[ ${#wanted[@]} == 0 ]]; then
    stage "redis-server and postgresql are installed"
    exit 0
fi
if ! command -v apt-get >/dev/null || [[ $(id -u) != 0 ]]; then
    stage "no ${wanted[*]}, and no right to install them: their tests will be skipped"
    exit 0
fi
stage "${wanted[*]}, from Debian's packages"
export DEBIAN_FRONTEND=noninteractive
install=(apt-get install --yes --quiet=2 --no-install-recommends "${wanted[@]}")
# A new machine has no lists of packages yet.
"${install[@]}" >/dev/null 2>&1 || { apt-get update --quiet=2 && "${install[@]}"; } >/dev/null 2>&1 ||
    stage "they cannot be had: their tests will be skipped"
