"""What a person may name as a folder."""

from pathlib import Path

import pytest

from engine.errors import FolderError
from engine.server.folders import resolve


@pytest.mark.parametrize("name", ["/proc", "/proc/self", "/sys", "/sys/kernel", "/dev", "/dev/fd"])
def test_the_systems_own_folders_are_refused(name: str) -> None:
    if not Path(name).is_dir():
        pytest.skip(f"this system has no {name}")
    with pytest.raises(FolderError, match="holds no documents"):
        resolve(name)


@pytest.mark.parametrize("name", ["/", "/dev/shm", "/run", "/devices/of/mine"])
def test_folders_beside_them_are_not(name: str, tmp_path: Path) -> None:
    place = Path(name) if Path(name).is_dir() else tmp_path / name[1:]
    place.mkdir(parents=True, exist_ok=True)
    assert resolve(str(place)) == place.resolve()


def test_a_link_leads_to_the_folder_it_stands_for(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc")
    with pytest.raises(FolderError, match="holds no documents"):
        resolve(str(tmp_path / "link"))
