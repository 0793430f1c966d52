"""Where a journal may lie, and whether its file is still the one that was opened.

Locks and shared memory of SQLite do not hold on network file systems, and what a server acknowledges it may lose:
https://www.sqlite.org/faq.html#q5 and https://www.sqlite.org/wal.html ("does not work over a network filesystem").
"""

from __future__ import annotations

import os
from pathlib import Path

from planar.errors import JournalError

NETWORK = frozenset(
    {
        "9p2000.l",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "fuse.ceph",
        "fuse.cephfs",
        "fuse.davfs2",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.goofys",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.smbnetfs",
        "fuse.sshfs",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb2",
        "smb3",
        "smbfs",
    }
)
"""Types of network file systems, as the kernel names them."""

_MOUNTS = Path("/proc/self/mountinfo")


def filesystem_of(path: Path, mounts: str) -> str:
    """Type of the file system that `path` lies on, from the text of /proc/self/mountinfo; "" if it does not say.

    Each line is `36 35 98:0 /root /mount/point options... - type source options` (proc(5)).
    """
    best, found = "", ""
    wanted = f"{path}/"
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        words = before.split(" ")
        if not dash or len(words) < 5:
            continue
        point = words[4].replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
        # the later of two mounts on one place covers the earlier
        if wanted.startswith(point.rstrip("/") + "/") and len(point) >= len(best):
            best, found = point, after.split(" ")[0]
    return found


def check_place(directory: Path, mounts: str | None = None) -> None:
    """Refuse a network file system. Where the system does not tell (outside of Linux) nothing is refused.

    Args:
        mounts: text of /proc/self/mountinfo; None reads it.

    Raises:
        JournalError: it is one.
    """
    if mounts is None:
        try:
            mounts = _MOUNTS.read_text()
        except OSError:
            return
    kind = filesystem_of(Path(os.path.realpath(directory)), mounts)
    if kind.lower() in NETWORK:
        raise JournalError(
            f"{directory} lies on a network file system ({kind}), where locks do not hold and writes get lost",
            hint="set PLANAR_STATE to a directory on a disk of this machine",
        )


class Identity:
    """The file that was opened; another one of its name, or none, is noticed."""

    def __init__(self, path: Path) -> None:
        self._name = str(path)
        self._was = _identity(self._name)

    def check(self) -> None:
        """See whether the file is still there.

        Raises:
            JournalError: it was deleted or exchanged.
        """
        try:
            same = _identity(self._name) == self._was
        except OSError:
            same = False
        if not same:
            raise JournalError(
                f"the journal {self._name} was deleted or exchanged while it was in use",
                hint="nothing new is sent, cancels still are; put the file back, or end the program and look at the "
                "venue's open orders before the next start",
            )


def _identity(name: str) -> tuple[int, int]:
    found = os.stat(name)
    return found.st_dev, found.st_ino
