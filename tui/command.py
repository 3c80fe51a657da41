"""The command ``hoverkite``: hands the command line over and opens the screen when asked to."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``hoverkite`` with ``argv`` (the process's own by default); return the exit status."""
    from engine.front import cli

    return cli.main(list(sys.argv[1:] if argv is None else argv), open_screen=run_screen)


def run_screen(folders: Sequence[Path], settings_flags: dict[str, Any], agreed: bool) -> int:
    """Open the screen on ``folders``, of which the first is shown; return the exit status.

    Nothing slow is imported before the first frame is painted.
    """
    from engine.quick_start import hold_garbage_collection

    hold_garbage_collection()
    # What was typed while something else was painted waits for the next frame: 8 ms, not 17.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    from tui import early_config, layout, plain_signs, themes
    from tui.app import HoverkiteApp
    from tui.engine_port import LocalEngine

    # Ignored, as below nohup, it would leave a screen without a terminal that reads for ever.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    theme = themes.load_named(themes.early_choice(settings_flags))
    first, *others = folders
    app = HoverkiteApp(first, LocalEngine(settings_flags), agreed=agreed, theme=theme)
    app.also_open(others)
    app.kept_layout = layout.load()
    app.plain_signs = plain_signs.filter_for(early_config.setting("signs", settings_flags))
    if isinstance(keys := early_config.read().get("keys"), dict):
        app.take_keys(keys)
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
