"""On which file systems a folder lies, as far as it matters.

On some of them others write too (another machine, the host of a virtual machine, a server): this
system tells of its own changes there, never of theirs, and SQLite can't share memory there.
"""

import os
from dataclasses import dataclass
from pathlib import Path

_SHARED = {
    *("9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "fakeowner"),
    *("gfs2", "glusterfs", "gpfs", "grpcfuse", "lustre", "macfuse", "ncpfs", "nfs", "nfs3", "nfs4"),
    *("ocfs2", "orangefs", "osxfs", "osxfuse", "panfs", "prl_fs", "pvfs2", "smb2", "smb3", "smbfs"),
    *("vboxsf", "virtiofs", "vmhgfs", "webdav"),
}
_LOCAL_FUSE = {
    *("cryfs", "encfs", "exfat", "exfat-fuse", "fuse-overlayfs", "gocryptfs", "lxcfs", "mergerfs"),
    *("ntfs", "ntfs-3g", "portal", "securefs", "snapfuse", "squashfuse", "unionfs", "veracrypt"),
}
"""Of FUSE, these keep files on a disk of this machine; what is not known may be far away."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system and the folder it is mounted on."""

    place: str
    kind: str
    """As the system names it: ``ext4``, ``nfs4``, ``fuse.sshfs``."""

    @property
    def is_shared(self) -> bool:
        """Whether others may write to it unseen."""
        kind = self.kind.lower()
        if kind == "fuse" or kind.startswith("fuse."):
            return kind.removeprefix("fuse.") not in _LOCAL_FUSE
        return kind in _SHARED


def listed() -> list[Mount]:
    """Return all mounts, later ones over earlier ones; none where the system does not tell."""
    import psutil  # a front end that looks at a stored index needs little else

    try:
        parts = psutil.disk_partitions(all=True)
    except (OSError, psutil.Error):
        return []
    # Linux writes "#" like this, and the C library leaves it so.
    return [Mount(part.mountpoint.replace("\\043", "#"), part.fstype) for part in parts]


def of(folder: Path) -> tuple[Mount, ...]:
    """Return the mount that ``folder`` (absolute, links resolved) lies on, and those below it."""
    mounts = listed()
    name = _with_slash(str(folder))
    below = [m for m in mounts if m.place.startswith(name) and _with_slash(m.place) != name]
    return (*_holding(name, mounts), *below)


def is_shared(folder: Path) -> bool:
    """Whether ``folder`` lies on a file system to which others may write."""
    name = _with_slash(os.path.realpath(folder))
    return any(mount.is_shared for mount in _holding(name, listed()))


def _holding(name: str, mounts: list[Mount]) -> list[Mount]:
    """Return the mount that folder ``name``, which ends with ``/``, lies on, if one is known."""
    above = [mount for mount in mounts if name.startswith(_with_slash(mount.place))]
    # Of two in one place the later covers the other.
    return sorted(above, key=lambda mount: len(mount.place))[-1:]


def _with_slash(place: str) -> str:
    return place.rstrip("/") + "/"
