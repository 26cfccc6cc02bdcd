#!/usr/bin/env bash
# Makes the secrets that the deployment needs, once, and prints the first API key, which is stored
# nowhere: the cluster has its hash.
#
#   deploy/kubernetes/create-secrets.sh [NAMESPACE]        default: ecoguard
#
# Options of kubectl go into KUBECTL, as in KUBECTL='kubectl --context staging'. Existing secrets stay
# as they are: the corruption key decides how forgotten prompts are answered, and must not change.
set -euo pipefail

readonly namespace=${1:-ecoguard}
read -ra kubectl <<<"${KUBECTL:-kubectl}"

random() { openssl rand -hex 32; }

# Values go through files: the command line of a process can be read by everyone on its machine.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/secrets"
for name in VLLM_API_KEY ECOGUARD_CORRUPTION_KEY ECOGUARD_STORE_PASSWORD; do
    random | tr -d '\n' >"$folder/secrets/$name"
done
key="eg-$(random)"
hash=$(printf %s "$key" | openssl dgst -sha256 -r | cut -d' ' -f1)
printf -- '- name: first\n  sha256: %s\n  scopes: [inference, check, admin]\n' "$hash" \
    >"$folder/keys.yaml"

"${kubectl[@]}" create secret generic ecoguard-secrets --namespace "$namespace" \
    --from-file "$folder/secrets"
"${kubectl[@]}" create secret generic ecoguard-keys --namespace "$namespace" \
    --from-file "$folder/keys.yaml"
printf 'API key, shown once: %s\n' "$key" >&2
