#!/usr/bin/env bash
# Writes locks/*.txt: every package that is installed, pinned as in constraints.txt, with the hashes
# that the package index gives for it. pip then takes no other file (--require-hashes).
#
#   TORCH_INDEX=… deploy/lock.sh
#
# TORCH_INDEX is the address of PyTorch's index of CPU builds; PIP_FIND_LINKS, a folder of them, does
# as well. The hashes of CPU builds that locks/torch-cpu.txt has of the same version are kept.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

readonly uv=${UV:-.venv/bin/uv}
scratch=$(mktemp -d)
readonly scratch
trap 'rm -r "$scratch"' EXIT

resolve() {
    "$uv" pip compile --quiet --universal --python-version 3.11.5 --generate-hashes --no-annotate \
        --no-header --constraint constraints.txt --no-emit-package ecoguard "$@"
}

without() {
    printf -- '--no-emit-package=%s\n' "$@"
}

hashes() {
    grep -oh -- '--hash=sha256:[0-9a-f]*' "$@" | sort -u
}

mkdir -p locks
version=$(sed -n 's/^torch==//p' constraints.txt)
printf 'torch==%s\n' "$version" >"$scratch/torch.in"
resolve "$scratch/torch.in" --no-deps -o locks/torch.txt
resolve "$scratch/torch.in" --no-emit-package torch -o "$scratch/with-torch.txt"
# Only what CUDA adds: the rest of torch's needs stands in the other lists.
"${PYTHON:-python3}" - "$scratch/with-torch.txt" >locks/cuda.txt <<'END'
import re, sys
from pathlib import Path

entries = re.split(r"(?m)^(?=[a-z])", Path(sys.argv[1]).read_text(encoding="utf-8"))
print("".join(e for e in entries if re.match(r"nvidia-|cuda-|triton", e)), end="")
END
mapfile -t cuda < <(grep -oE '^[a-z0-9-]+' locks/cuda.txt)

kept=()
if [[ -n ${TORCH_INDEX:-} ]]; then
    printf 'torch==%s+cpu\n' "$version" >"$scratch/cpu.in"
    "$uv" pip compile --quiet --no-deps --python-platform linux --generate-hashes --no-header \
        --no-annotate --index "$TORCH_INDEX" -o "$scratch/cpu.txt" "$scratch/cpu.in"
else
    touch "$scratch/cpu.txt"
fi
for wheel in "${PIP_FIND_LINKS:-/nowhere}/torch-$version+cpu-"*.whl; do
    [[ -f $wheel ]] || continue
    printf -- '--hash=sha256:%s\n' "$(sha256sum "$wheel" | cut -c1-64)" >>"$scratch/cpu.txt"
done
if grep -q "^torch==$version+cpu " locks/torch-cpu.txt 2>/dev/null; then
    kept=(locks/torch-cpu.txt)
fi
{
    printf 'torch==%s+cpu' "$version"
    hashes "$scratch/cpu.txt" "${kept[@]}" | while read -r hash; do printf ' \\\n    %s' "$hash"; done
    printf '\n'
} >"$scratch/all"
mv "$scratch/all" locks/torch-cpu.txt

mapfile -t skipped < <(without torch "${cuda[@]}")
resolve pyproject.toml --extra images --extra redis --extra store --extra trace -o locks/serve.txt
resolve pyproject.toml --extra images --extra redis --extra store --extra trace --extra train \
    "${skipped[@]}" -o locks/train.txt
resolve pyproject.toml --all-extras "${skipped[@]}" -o locks/develop.txt
printf 'hatchling\ncyclonedx-bom\n' >"$scratch/build.in"
resolve "$scratch/build.in" -o locks/build.txt
