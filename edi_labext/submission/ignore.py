"""What is left out of a package, and why.

EDI takes whatever lies in the folder, hidden files too, so people have sent checkpoints, keys and
whole git histories. Here hidden entries, caches and what may hold secrets stay behind unless
``.ediignore`` (the syntax of ``.gitignore``) takes them back in with ``!``.
"""

from __future__ import annotations

from collections.abc import Sequence

from pathspec import GitIgnoreSpec

from ..errors import InvalidInput, echo

#: Name of the file with a folder's own rules, read at its top only.
IGNORE_FILE = ".ediignore"

_SECRETS = "may hold secrets"
_CACHE = "cache"

#: Pattern for the name of an entry (in lower case) and reason; the last that matches decides.
_DEFAULTS: tuple[tuple[str, str], ...] = (
    (".*", "hidden"),
    (IGNORE_FILE, "lists what is left out"),
    ("._*", "macOS metadata"),
    (".ds_store", "macOS metadata"),
    ("__macosx/", "macOS metadata"),
    ("thumbs.db", "Windows metadata"),
    ("desktop.ini", "Windows metadata"),
    (".git", "version control"),
    (".hg/", "version control"),
    (".svn/", "version control"),
    (".ipynb_checkpoints/", "notebook checkpoints"),
    ("__pycache__/", _CACHE),
    ("*.pyc", _CACHE),
    ("*.pyo", _CACHE),
    (".mypy_cache/", _CACHE),
    (".pytest_cache/", _CACHE),
    (".ruff_cache/", _CACHE),
    (".cache/", _CACHE),
    (".venv/", "virtual environment"),
    ("venv/", "virtual environment"),
    ("node_modules/", "installed packages"),
    ("*~", "editor backup"),
    ("*.swp", "editor backup"),
    (".env", _SECRETS),
    (".env.*", _SECRETS),
    (".envrc", _SECRETS),
    (".ssh/", _SECRETS),
    (".aws/", _SECRETS),
    (".azure/", _SECRETS),
    (".gnupg/", _SECRETS),
    (".kube/", _SECRETS),
    (".docker/", _SECRETS),
    (".netrc", _SECRETS),
    (".pypirc", _SECRETS),
    (".npmrc", _SECRETS),
    (".pgpass", _SECRETS),
    (".git-credentials", _SECRETS),
    ("*.pem", _SECRETS),
    ("*.key", _SECRETS),
    ("*.p12", _SECRETS),
    ("*.pfx", _SECRETS),
    ("*.jks", _SECRETS),
    ("*.keystore", _SECRETS),
    ("*.kdbx", _SECRETS),
    ("*.ppk", _SECRETS),
    ("id_rsa", _SECRETS),
    ("id_dsa", _SECRETS),
    ("id_ecdsa", _SECRETS),
    ("id_ed25519", _SECRETS),
    ("credentials.json", _SECRETS),
    ("kaggle.json", _SECRETS),
)

_DEFAULT_SPEC = GitIgnoreSpec.from_lines([pattern for pattern, _ in _DEFAULTS])


class IgnoreRules:
    """The usual rules and those of one ``.ediignore``.

    Parameters
    ----------
    lines:
        Lines of ``.ediignore``.

    Raises
    ------
    InvalidInput
        ``invalid_ignore_file`` with the line that is no pattern.
    """

    def __init__(self, lines: Sequence[str] = ()) -> None:
        # Numbered here, since pathspec does not count empty lines.
        self._numbered = [(number, line) for number, line in enumerate(lines, start=1) if line]
        for number, line in self._numbered:
            try:
                GitIgnoreSpec.from_lines([line])
            except ValueError:
                raise InvalidInput(
                    f"Line {number} of {IGNORE_FILE} is not a pattern: {echo(line)}.",
                    code="invalid_ignore_file",
                    hint="It follows the rules of .gitignore.",
                ) from None
        self._own = GitIgnoreSpec.from_lines([line for _, line in self._numbered])

    def reason(self, path: str, *, folder: bool) -> str | None:
        """Tell why the entry ``path`` is left out, or ``None`` when it is sent.

        Folders that are left out are not entered, so what lies below them is never asked for.
        """
        own = self._own.check_file(path + "/" if folder else path)
        if own.include and own.index is not None:
            return f"line {self._numbered[own.index][0]} of {IGNORE_FILE}"
        if own.include is False and own.index != self._index_of_parent(path):
            return None
        # By its own name: a folder that was taken back in says nothing about what it holds.
        name = path.rpartition("/")[2].casefold()
        usual = _DEFAULT_SPEC.check_file(name + "/" if folder else name)
        return _DEFAULTS[usual.index][1] if usual.include and usual.index is not None else None

    def _index_of_parent(self, path: str) -> int | None:
        # "!.config/" also matches everything below .config; taking a folder back in must not
        # take its secrets along, so an entry counts as named only by a pattern of its own.
        parent, slash, _ = path.rpartition("/")
        return self._own.check_file(parent + "/").index if slash else None
