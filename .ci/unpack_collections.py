"""Unpacks some collections of Ansible's package into the environment that runs this, where Ansible looks for them.

``python unpack_collections.py FOLDER NAMESPACE.NAME...``; the wheel is the only one in FOLDER.  Installing the package
would write 21,000 files of which these are 200.
"""

from __future__ import annotations

import sys
import sysconfig
import zipfile
from pathlib import Path


def unpack(wheel: Path, collections: list[str]) -> None:
    """SystemExit if the wheel lacks one of them."""
    with zipfile.ZipFile(wheel) as package:
        for collection in collections:
            folder = f"ansible_collections/{collection.replace('.', '/')}/"
            files = [name for name in package.namelist() if name.startswith(folder)]
            if not files:
                raise SystemExit(f"{wheel.name} does not carry the collection {collection}")
            package.extractall(sysconfig.get_path("purelib"), files)


if __name__ == "__main__":
    [found] = Path(sys.argv[1]).glob("*.whl")
    unpack(found, sys.argv[2:])
