#!/usr/bin/env bash
# Builds the serving image on one exact base image, and writes its SBOM beside it.
#
#   deploy/build-image.sh [TAG]        default: ecoguard:latest
#
# BASE names the base image (default: the one of the Dockerfile). Without a digest, the one that its
# tag has now is looked up and used; the image's label org.opencontainers.image.base.digest tells it.
# TORCH_INDEX and PIP_INDEX_URL are passed on. Needs Docker with buildx.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

readonly tag=${1:-ecoguard:latest}
base=${BASE:-$(sed -n 's/^ARG BASE=//p' Dockerfile)}
if [[ $base != *@sha256:* ]]; then
    digest=$(docker buildx imagetools inspect "$base" --format '{{.Manifest.Digest}}')
    base="$base@$digest"
fi
docker build --tag "$tag" --build-arg "BASE=$base" \
    --label "org.opencontainers.image.base.name=${base%@*}" \
    --label "org.opencontainers.image.base.digest=${base#*@}" \
    ${TORCH_INDEX:+--build-arg "TORCH_INDEX=$TORCH_INDEX"} \
    ${PIP_INDEX_URL:+--build-arg "PIP_INDEX_URL=$PIP_INDEX_URL"} .
mkdir -p dist
docker run --rm --entrypoint cat "$tag" /opt/ecoguard/sbom.cdx.json >dist/ecoguard-image.cdx.json
printf 'image: %s on %s, SBOM in dist/ecoguard-image.cdx.json\n' "$tag" "$base"
