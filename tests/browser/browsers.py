"""The system's Chromium."""

import os
import shutil

from playwright.sync_api import Browser, Playwright


def launch_chromium(playwright: Playwright) -> Browser:
    """Start the Chromium that the package manager has installed; `CHROMIUM` names another executable."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        raise SystemExit("install chromium by the package manager, or name an executable by CHROMIUM")
    arguments = ["--no-sandbox"] if os.getuid() == 0 else []
    return playwright.chromium.launch(executable_path=executable, args=arguments)
