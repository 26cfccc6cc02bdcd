"""Brings one artifact folder into the pod: downloaded, checked against a digest, verified whole.

ARTIFACT_URL names a .tar.gz of the folder, ARTIFACT_SHA256 its digest (sha256sum), ARTIFACT_OUT
where the folder goes. The digest is the operator's word on which artifact this is; the manifest
inside, checked after it, is the artifact's own.
"""

import hashlib
import os
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path
from typing import IO

from guard.artifacts.folder import read

MOST_BYTES = 4 << 30
TIMEOUT_S = 60
CHUNK = 1 << 20


def download(url: str, file: IO[bytes]) -> str:
    """Write what is at `url` to a file; its SHA-256 in hex."""
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - the operator's
        while chunk := answer.read(CHUNK):
            digest.update(chunk)
            file.write(chunk)
            if file.tell() > MOST_BYTES:
                raise SystemExit(f"{url}: larger than {MOST_BYTES} bytes")
    return digest.hexdigest()


def main() -> None:
    """Fetch, check, unpack, verify; nothing is left where any of it fails."""
    url, wanted = os.environ["ARTIFACT_URL"], os.environ["ARTIFACT_SHA256"]
    out = Path(os.environ["ARTIFACT_OUT"])
    with (
        tempfile.TemporaryDirectory(dir=out.parent) as folder,
        tempfile.TemporaryFile(dir=out.parent) as archive,
    ):
        found = download(url, archive)
        if found != wanted:
            raise SystemExit(f"{url}: SHA-256 is {found}, expected {wanted}")
        archive.seek(0)
        with tarfile.open(fileobj=archive, mode="r:gz") as members:
            members.extractall(folder, filter="data")
        (manifest,) = Path(folder).rglob("manifest.json")
        verified = read(manifest.parent)
        manifest.parent.rename(out)
    sys.stdout.write(f"{out}: {verified.manifest.name}, {verified.manifest.digest}\n")


if __name__ == "__main__":
    main()
