"""Run the browser tests: find or install Chromium, install the test tools, start Playwright.

Run by `make test-ui` in the project's environment; arguments go to Playwright. A Chromium of your
own: EDI_CHROMIUM=/path/to/chromium. Root gets Debian's package installed when there is none.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UI_TESTS = ROOT / "ui-tests"
BIN = ROOT / ".venv/bin"
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def main() -> int:
    """Return the exit status of the browser tests."""
    chromium = _chromium()
    if chromium is None:
        print(
            "ui-tests: no Chromium here, and only root can install one.\n"
            "    apt-get install -y chromium\n"
            "or name one that you have: EDI_CHROMIUM=/path/to/chromium make test-ui",
            file=sys.stderr,
        )
        return 1
    environment = dict(
        os.environ,
        EDI_CHROMIUM=chromium,
        PATH=f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD="1",
    )
    if not _install(environment):
        return 1
    command = [str(BIN / "jlpm"), "playwright", "test", *sys.argv[1:]]
    return subprocess.run(command, cwd=UI_TESTS, env=environment, check=False).returncode


def _chromium() -> str | None:
    if configured := os.environ.get("EDI_CHROMIUM"):
        return configured
    if found := _found():
        return found
    if sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get"):
        print("ui-tests: installing Debian's chromium …", flush=True)
        quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "chromium"],
        ):
            subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False)
        return _found()
    return None


def _found() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def _install(environment: dict[str, str]) -> bool:
    digest = hashlib.sha256(
        (UI_TESTS / "package.json").read_bytes() + (UI_TESTS / "yarn.lock").read_bytes()
    ).hexdigest()
    stamp = UI_TESTS / "node_modules" / ".edi-stamp"
    if stamp.is_file() and stamp.read_text() == digest:
        return True
    print("ui-tests: installing the test tools …", flush=True)
    result = subprocess.run(
        [str(BIN / "jlpm"), "install", "--immutable"],
        cwd=UI_TESTS,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        print(result.stdout[-4000:], file=sys.stderr)
        return False
    stamp.write_text(digest)
    return True


if __name__ == "__main__":
    sys.exit(main())
