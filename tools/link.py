"""``make install`` and ``make uninstall``: the command hoverkite on the person's PATH."""

import os
import sys
from pathlib import Path

COMMAND = Path(__file__).resolve().parent.parent / ".venv" / "bin" / "hoverkite"


def install(link: Path) -> int:
    """Link ``link`` to this project's command; never over something else."""
    if link.is_symlink() and link.readlink().name == "hoverkite":
        link.unlink()
    elif os.path.lexists(link):
        print(f"{link} is something else; move it away, then run: make install", file=sys.stderr)
        return 1
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(COMMAND)
    except OSError as error:
        print(f"{link} can't be made: {error.strerror}", file=sys.stderr)
        return 1
    print(f"hoverkite is now {link}")
    if str(link.parent) not in os.environ.get("PATH", "").split(os.pathsep):
        print(
            f"{link.parent} is not on your PATH. Add this line to your shell's start-up file\n"
            "(~/.bashrc or ~/.zshrc), then open a new terminal:\n\n"
            f'  export PATH="{link.parent}:$PATH"'
        )
    return 0


def uninstall(link: Path) -> int:
    """Remove the link if it is ours."""
    if link.is_symlink() and link.readlink() == COMMAND:
        link.unlink()
        print(f"Removed {link}")
    else:
        print(f"{link} does not lead here; nothing was removed")
    return 0


def main(action: str) -> int:
    """Install or uninstall in ``~/.local/bin``."""
    link = Path.home() / ".local" / "bin" / "hoverkite"
    return install(link) if action == "install" else uninstall(link)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
