"""Writes the archive and the manifest of the krew plugin into a folder; the archive has the same bytes each time."""

import gzip
import hashlib
import io
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "integrations" / "krew"
PLUGIN = "kubectl-irsa_doctor"


def archive(version: str) -> bytes:
    """The plugin and its licence, as a tar.gz."""
    members = {
        PLUGIN: (SOURCE / PLUGIN).read_bytes().replace(b"VERSION", version.encode()),
        "LICENSE": (ROOT / "LICENSE").read_bytes(),
    }
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as stream:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755 if name == PLUGIN else 0o644
            stream.addfile(member, io.BytesIO(content))
    return gzip.compress(tar.getvalue(), mtime=0)


def manifest(version: str, content: bytes) -> str:
    """The manifest of an archive."""
    text = (SOURCE / "plugin.yaml").read_text(encoding="utf-8").partition("\n")[2]
    return text.replace("SHA256", hashlib.sha256(content).hexdigest()).replace("VERSION", version)


if __name__ == "__main__":
    folder, version = Path(sys.argv[1]), sys.argv[2]
    content = archive(version)
    (folder / f"{PLUGIN}.tar.gz").write_bytes(content)
    (folder / "irsa-doctor.krew.yaml").write_text(manifest(version, content), encoding="utf-8")
