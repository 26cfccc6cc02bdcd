#!/bin/sh
# Trains a detector of malicious prompts from captured traffic, and lets it through the gate. What
# passes becomes /artifacts/candidate, for a policy in shadow; with PROMOTE=yes it becomes
# /artifacts/current as well. What does not pass stays where it is, and the job fails.
set -eu

encoder=${ENCODER:-/opt/ecoguard/artifacts/encoder}
new=/artifacts/malicious-$(date -u +%Y%m%d-%H%M%S)
service=
if [ -e /artifacts/current ]; then
    service="--in-service /artifacts/current"
fi

# shellcheck disable=SC2086 # two words or none
ecoguard-train malicious --config /training/recipe.yaml --encoder "$encoder" \
    --from-store "$STORE_URL" --out "$new" --cache "${TMPDIR:-/tmp}/features" $service
# shellcheck disable=SC2086
ecoguard-train gate "$new" --gate-set "$GATE_SET" --encoder "$encoder" --report "$new.gate.json" \
    $service

# Readers see the old link or the new one, never none. Relative: the volume may be mounted elsewhere.
point() {
    ln -s "$(basename "$new")" "/artifacts/.$1.$$"
    mv -T "/artifacts/.$1.$$" "/artifacts/$1"
    echo "$1 is $new"
}
point candidate
if [ "${PROMOTE:-no}" = yes ]; then
    point current
fi
