"""The rules of the house (``docs/architecture.md``), checked on what is written and built."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "edi_labext"
KERNEL_PATH = PACKAGE / "serving" / "kernel" / "path"
STATIC = PACKAGE / "labextension" / "static"

WORDS = {"errors", "models"}
FACES = ("extension", "cli", "magics")
#: The rooms, and which others each may import.
MAY_IMPORT = {
    "errors": set(),
    "models": {"errors"},
    "submission": WORDS,
    "client": WORDS,
    "serving": WORDS,
    "operations": WORDS | {"submission", "client"},
    **dict.fromkeys(FACES, WORDS | {"submission", "client", "operations"}),
}
#: What faces leave to operations: how the client talks.
INSIDE_CLIENT = {
    "client.edi_client",
    "client.engine_process",
    "client.failures",
    "client.hello",
    "client.transport",
    "client.upload",
}
#: Modules of others that only one room imports; all others do without them.
ONLY_IN = {
    "requests": "client",
    "urllib3": "client",
    "tornado": "extension",
    "jupyter_server": "extension",
    "jupyter_events": "extension",
    "uvicorn": "serving",
    "starlette": "serving",
    "httptools": "serving",
    "click": "cli",
    "rich": "cli",
    "IPython": "magics",
}
#: Modules of ``serving`` that may ask for the time; everybody else is given a clock.
CLOCK = "serving/clock.py"
#: Longest source file, in lines.
MAX_LINES = 400
#: What is longer for a reason, and may not become longer still.
LONGER = {
    # One class on the hot path; every part of it works on the same few fields.
    "edi_labext/serving/dispatcher.py": 405,
}
#: Bundle sizes in bytes: what loads while JupyterLab starts, the bundler's own table of shared
#: packages included (14 kB even for an empty extension), and everything.
MAX_FIRST, MAX_BUNDLE = 30_000, 400_000


def sources() -> list[Path]:
    """Return our Python modules; samples are other people's kernels."""
    left_out = (
        PACKAGE / "operations" / "samples",
        PACKAGE / "submission" / "templates",
        PACKAGE / "labextension",
    )
    return [
        path
        for path in sorted(PACKAGE.rglob("*.py"))
        if not any(path.is_relative_to(folder) for folder in left_out) or path.name == "__init__.py"
    ]


def module_of(path: Path) -> str:
    """Return the dotted name below ``edi_labext``; ``""`` for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and absolute dotted name of everything that a module imports, wherever."""
    package = ["edi_labext", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                origin = package[: len(package) - node.level + 1]
                base = ".".join([*origin, base] if base else origin)
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"


def ours(name: str) -> str | None:
    """Return which module of ours ``name`` is or is in; ``None`` when it is somebody else's."""
    first, *rest = name.split(".")
    if first != "edi_labext":
        return None
    while rest:
        base = PACKAGE.joinpath(*rest)
        if base.is_dir() or base.with_suffix(".py").is_file():
            return ".".join(rest)
        rest.pop()
    return ""


def room_of(module: str) -> str:
    return module.partition(".")[0]


def parametrised(paths):
    return pytest.mark.parametrize(
        "path", paths, ids=lambda path: path.relative_to(REPOSITORY).as_posix()
    )


def test_every_room_has_its_rule():
    rooms = {room_of(module_of(path)) for path in sources()} - {"", "_version"}
    assert rooms <= set(MAY_IMPORT)
    assert {"models", "submission", "client", "serving", "operations", "extension"} <= rooms


@parametrised(sources())
def test_rooms_import_only_those_below_them(path):
    room = room_of(module_of(path))
    if room in ("", "_version"):
        pytest.skip("the package itself: entry points")
    for line, name in imports_of(path):
        module = ours(name)
        if not module or room_of(module) in (room, "_version"):
            continue
        fits = room_of(module) in MAY_IMPORT[room]
        if room in FACES:
            fits = fits and module not in INSIDE_CLIENT
        assert fits, f"{path.relative_to(REPOSITORY)}:{line} imports {name}"


def test_the_package_itself_imports_nothing_when_it_is_imported():
    """Every Jupyter server and every ``%load_ext`` does so."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    modules = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert modules <= {"__future__", "typing", "_version"}
    assert not [node for node in tree.body if isinstance(node, ast.Import)]


@parametrised(sources())
def test_what_others_made_has_one_room_each(path):
    room = room_of(module_of(path))
    if room == "":
        pytest.skip("the package itself: entry points")
    for line, name in imports_of(path):
        owner = ONLY_IN.get(name.partition(".")[0])
        assert owner in (None, room), f"{path.relative_to(REPOSITORY)}:{line} imports {name}"


@parametrised([path for path in sources() if path.is_relative_to(PACKAGE / "serving")])
def test_only_the_clock_knows_the_time(path):
    if path.is_relative_to(PACKAGE / "serving" / "kernel") or path == PACKAGE / CLOCK:
        pytest.skip("may")
    for line, name in imports_of(path):
        assert name.partition(".")[0] != "time", f"{path.relative_to(REPOSITORY)}:{line}"


@parametrised(sorted(KERNEL_PATH.rglob("*.py")))
def test_what_runs_in_the_users_python_needs_nothing_but_python_38(path):
    """It is put on the path of an interpreter that need not have this package."""
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    siblings = {entry.stem for entry in KERNEL_PATH.iterdir()}
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        for name in names:
            first = name.partition(".")[0]
            assert first in siblings | set(sys.stdlib_module_names), f"{path.name}:{node.lineno}"


def product_files() -> Iterator[Path]:
    generated = {REPOSITORY / "src" / "_schema.ts", PACKAGE / "_version.py"}
    for folder, patterns in {
        "edi_labext": ("*.py",),
        "scripts": ("*.py",),
        "src": ("*.ts", "*.tsx"),
        "style": ("*.css",),
        "schema": ("*.json",),
    }.items():
        for pattern in patterns:
            for path in (REPOSITORY / folder).rglob(pattern):
                if path not in generated and "labextension" not in path.parts:
                    yield path


def test_files_are_short_and_named_for_what_they_hold():
    files = list(product_files())
    assert len(files) > 100
    lengths = {
        path.relative_to(REPOSITORY).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in files
    }
    long = {name: lines for name, lines in lengths.items() if lines > MAX_LINES}
    assert not {name: lines for name, lines in long.items() if lines > LONGER.get(name, 0)}
    assert not LONGER.keys() - long.keys(), "no longer long: take it out of LONGER"
    vague = {path.name for path in files if path.stem in ("utils", "util", "helpers", "common")}
    assert not vague


def test_the_schema_of_the_facade_is_up_to_date():
    checked = subprocess.run(
        [sys.executable, str(REPOSITORY / "scripts" / "generate_schema.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


@pytest.fixture
def bundle() -> Path:
    """The built front end, as users get it."""
    if not (PACKAGE / "labextension" / "package.json").is_file():
        pytest.skip("the front end is not built; run `make setup`")
    if not (STATIC / "third-party-licenses.json").is_file() or any(STATIC.glob("*.map")):
        pytest.skip("a development build is not minified; run `jlpm build:prod`")
    return STATIC


def test_the_front_end_is_small(bundle):
    build = json.loads((PACKAGE / "labextension" / "package.json").read_text())["jupyterlab"]
    entry = PACKAGE / "labextension" / build["_build"]["load"]
    scripts = {path.name.partition(".")[0]: path for path in bundle.glob("*.js")}
    first = [entry]
    # JupyterLab loads both at its start; styles would come with their own chunk.
    for exposed in ("extension", "style"):
        if exposed in build["_build"]:
            loads = re.search(
                rf'"{re.escape(build["_build"][exposed])}":\(\)=>(.*?)\.then\(\(\)=>\(\)=>',
                entry.read_text(),
            )
            assert loads, "the bundler writes its entry in another way now: mend this test"
            first += [scripts[number] for number in re.findall(r"\.e\(\"?(\w+)\"?\)", loads[1])]
    assert any("edi:open-panel" in path.read_text() for path in first)
    sizes = {path.name: path.stat().st_size for path in first}
    assert sum(sizes.values()) <= MAX_FIRST, f"loads before the panel: {sizes}"
    total = sum(path.stat().st_size for path in bundle.glob("*.js"))
    assert total <= MAX_BUNDLE
