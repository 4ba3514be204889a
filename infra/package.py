"""Packs the functions' zip anew: `package.py ZIP`. As small as deflate makes it, for it is loaded at every cold start; and the same
bytes for the same program, whenever this machine packs it: Terraform deploys what has changed, and nothing else."""

import sys
import zipfile

LEVEL = 9
# The first day that a zip can say.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def pack(package):
    with zipfile.ZipFile(package) as archive:
        files = [(info.filename, info.external_attr, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name, attributes, content in files:
            info = zipfile.ZipInfo(name, NO_TIME)
            info.external_attr, info.compress_type = attributes, zipfile.ZIP_DEFLATED
            archive.writestr(info, content, compresslevel=LEVEL)


if __name__ == "__main__":
    pack(sys.argv[1])
