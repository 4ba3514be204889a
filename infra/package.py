"""Packs the functions' zip anew, and writes its check sum beside it: `package.py ZIP`. As small as deflate can make it, for it is
loaded at every cold start; and the same bytes for the same program, whenever this machine packs it: Terraform deploys what has
changed, and nothing else."""

import hashlib
import sys
import zipfile
from pathlib import Path

import zopfli

# The first day that a zip can say.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def pack(package):
    with zipfile.ZipFile(package) as archive:
        files = [(info.filename, info.external_attr, archive.read(info)) for info in archive.infolist()]
    # Zopfli takes a minute where zlib takes a second, and finds what that leaves.
    with zopfli.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, attributes, content in files:
            info = zopfli.ZipInfo(name, NO_TIME)
            info.external_attr, info.compress_type = attributes, zipfile.ZIP_DEFLATED
            archive.writestr(info, content)


def sum_up(package):
    line = f"{hashlib.sha256(package.read_bytes()).hexdigest()}  {package.name}"
    package.with_name(f"{package.name}.sha256").write_text(f"{line}\n")
    print(line)


if __name__ == "__main__":
    pack(sys.argv[1])
    sum_up(Path(sys.argv[1]))
