"""On which file systems a folder lies."""

import os
import sys
from pathlib import Path

import psutil
import pytest

from engine import mounts
from engine.mounts import Mount

TABLE = (
    r"""
proc /proc proc rw 0 0
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw,vers=4.2 0 0
/dev/sdb1 /home/me/disk ext4 rw 0 0
//server/our\040files /home/me/our\040files cifs rw 0 0
me@server: /home/me/tab\011line\012back\134slash\043 fuse.sshfs rw 0 0
C:\134 /mnt/c 9p rw,aname=drvfs 0 0
none /mnt/twice tmpfs rw 0 0
shared /mnt/twice vboxsf rw 0 0
fusectl /sys/fs/fuse/connections fusectl rw 0 0
a:b:c /media/pool fuse.mergerfs rw 0 0
/dev/sdc1 /media/usb fuseblk rw 0 0
/dev/fuse /run/user/1/doc fuse.portal rw 0 0
server:/caf\351 /media/caf""".strip()
    + "\udce9 nfs rw 0 0\n\nnonsense\n/dev/x\n"
)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("other systems have no such file")
    (tmp_path / "self").mkdir()
    (tmp_path / "self/mounts").write_bytes(os.fsencode(TABLE))
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("folder", "kinds"),
    [
        ("/opt/docs", ["ext4"]),
        ("/homework", ["ext4"]),
        ("/home", ["nfs4", "ext4", "cifs", "fuse.sshfs"]),
        ("/home/me/docs", ["nfs4"]),
        ("/home/me/disk", ["ext4"]),
        ("/home/me/disk 2", ["nfs4"]),
        ("/home/me/our files", ["cifs"]),
        ("/home/me/our files/deep", ["cifs"]),
        ("/home/me/our\\040files", ["nfs4"]),
        ("/home/me/tab\tline\nback\\slash#/x", ["fuse.sshfs"]),
        ("/mnt/c/Users", ["9p"]),
        ("/mnt/twice/x", ["vboxsf"]),
        ("/media/usb/x", ["fuseblk"]),
        ("/media/caf\udce9/x", ["nfs"]),
    ],
)
def test_a_folder_lies_on_the_nearest_mount_above_and_holds_those_below(
    folder: str, kinds: list[str]
) -> None:
    assert [mount.kind for mount in mounts.of(Path(folder))] == kinds


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("folder", "shared"),
    [
        ("/", False),
        ("/home/me", True),
        ("/home/me/disk/x", False),
        ("/home/me/our files/x", True),
        ("/mnt/c", True),
        ("/mnt/twice", True),
        ("/media/pool", False),
        ("/sys/fs/fuse/connections", False),
        ("/run/user/1/doc", False),
    ],
)
def test_only_what_the_folder_itself_is_on_makes_it_shared(folder: str, shared: bool) -> None:
    assert mounts.is_shared(Path(folder)) == shared


@pytest.mark.usefixtures("table")
def test_a_link_is_where_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/home/me/notes")
    assert mounts.is_shared(tmp_path / "link/manifest.sqlite")
    assert not mounts.is_shared(tmp_path / "notes/manifest.sqlite")


@pytest.mark.parametrize(
    ("kind", "shared"),
    [
        *((kind, True) for kind in ("nfs", "NFS4", "smb3", "cifs", "9p", "drvfs", "virtiofs")),
        *((kind, True) for kind in ("fuse", "fuse.sshfs", "fuse.rclone", "fuse.never-heard-of")),
        *((kind, False) for kind in ("ext4", "btrfs", "xfs", "zfs", "apfs", "overlay", "tmpfs")),
        *((kind, False) for kind in ("fuseblk", "fusectl", "fuse.ntfs-3g", "fuse.gocryptfs", "")),
    ],
)
def test_kinds_to_which_others_write(kind: str, shared: bool) -> None:
    assert Mount("/", kind).is_shared == shared


@pytest.mark.parametrize("error", [PermissionError(13, "no"), FileNotFoundError(), psutil.Error()])
def test_where_mounts_are_not_told_all_count_as_local(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(**_: bool) -> None:
        raise error

    monkeypatch.setattr(psutil, "disk_partitions", refuse)
    assert mounts.of(Path("/home")) == ()
    assert not mounts.is_shared(Path("/home"))


def test_the_mounts_of_this_machine_are_found() -> None:
    (above, *_) = mounts.of(Path("/"))
    assert (above.place, above.is_shared) == ("/", False) or above.kind in mounts._SHARED
