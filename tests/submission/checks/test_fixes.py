"""Fixes: what they write, that they keep their promise, and that they write nothing else."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.examples import examples

from edi_labext.errors import Conflict, OutOfSpace, StorageFailure
from edi_labext.submission import CheckReport, Finding, apply_fix, check_folder
from edi_labext.submission.checks import fixes as fixes_module

from .conftest import KERNEL, MODEL, Files, MakeSubmission, write

EXAMPLES = Path(__file__).parents[3] / "examples"


def the_fix(folder: Path, code: str) -> str:
    [found] = [found for found in check_folder(folder).findings if found.code == code]
    assert found.fix is not None, found
    assert found.fix.title
    assert found.fix.description.endswith(".")
    return found.fix.id


def mend(folder: Path, code: str) -> None:
    apply_fix(folder, the_fix(folder, code))


@pytest.fixture(scope="module", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """Thousands of files are written here; whether they survive a power cut is no question."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


LOAD = "        self.description = kernel_context.get_model_description()"
SWALLOW = "        try:\n            pass\n"
LOGGED = "            print(1)  # why"

MENDED: dict[str, tuple[Files, str, str, str]] = {
    "name": (
        {"model.json": '{\n\t"name" :  "My Digits!" ,\n\t"kernel_path": "kernel.py"}'},
        "invalid-name",
        "model.json",
        '{\n\t"name" :  "my-digits" ,\n\t"kernel_path": "kernel.py"}',
    ),
    "name-missing-in-lines": (
        {"model.json": '{\n    "kernel_path": "kernel.py"\n}\n'},
        "missing-field",
        "model.json",
        '{\n    "kernel_path": "kernel.py",\n    "name": "digits"\n}\n',
    ),
    "name-missing-in-one-line": (
        {"model.json": '{"kernel_path": "kernel.py"}'},
        "missing-field",
        "model.json",
        '{"kernel_path": "kernel.py", "name": "digits"}',
    ),
    "name-null": (
        {"model.json": '{"name": null, "kernel_path": "kernel.py"}'},
        "missing-field",
        "model.json",
        '{"name": "digits", "kernel_path": "kernel.py"}',
    ),
    "text-wanted": (
        {"model.json": '{"name": "a", "kernel_path": "kernel.py", "tag": 1.50}'},
        "invalid-field",
        "model.json",
        '{"name": "a", "kernel_path": "kernel.py", "tag": "1.50"}',
    ),
    "kernel-path": (
        {"model.json": '{"name": "a", "kernel_path": "kernal.py"}'},
        "kernel-not-found",
        "model.json",
        '{"name": "a", "kernel_path": "kernel.py"}',
    ),
    "kernel-path-outside": (
        {"model.json": '{"name": "a", "kernel_path": "/home/me/kernel.py"}'},
        "path-outside",
        "model.json",
        '{"name": "a", "kernel_path": "kernel.py"}',
    ),
    "kernel-path-with-another-name": (
        {
            "model.json": '{"name": "a", "kernel_path": "x.py"}',
            "kernel.py": None,
            "code/serve.py": KERNEL,
            "code/more.py": "",
        },
        "kernel-not-found",
        "model.json",
        '{"name": "a", "kernel_path": "code/serve.py"}',
    ),
    "trailing-comma": (
        {"model.json": '{"name": "a",\r\n "kernel_path": "kernel.py",\r\n}'},
        "invalid-json",
        "model.json",
        '{"name": "a",\r\n "kernel_path": "kernel.py"\r\n}',
    ),
    "byte-order-mark": (
        {"model.json": b"\xef\xbb\xbf" + MODEL},
        "byte-order-mark",
        "model.json",
        MODEL.decode(),
    ),
    "version-number": (
        {"model.json": '{"schema_version": 1, "name": "ä", "kernel_path": "kernel.py"}'},
        "schema-version",
        "model.json",
        '{"schema_version": "1", "name": "ä", "kernel_path": "kernel.py"}',
    ),
    "version-missing-behind-a-nested-value": (
        {
            "model.json": '{"name": "a", "kernel_path": "kernel.py", "attributes": [{"key": "k",'
            ' "value": "v"}]}'
        },
        "schema-version",
        "model.json",
        '{"name": "a", "kernel_path": "kernel.py", "attributes": [{"key": "k",'
        ' "value": "v"}], "schema_version": "1"}',
    ),
    "key": (
        {"model.json": '{"nmae": "a", "kernel_path": "kernel.py"}'},
        "unknown-key",
        "model.json",
        '{"name": "a", "kernel_path": "kernel.py"}',
    ),
    "runtime": (
        {"model.json": '{"name": "a", "kernel_path": "kernel.py", "runtime": "pyton"}'},
        "runtime-unknown",
        "model.json",
        '{"name": "a", "kernel_path": "kernel.py", "runtime": "python"}',
    ),
    "model-json": (
        {"model.json": None},
        "missing-file",
        "model.json",
        '{\n  "name": "digits",\n  "kernel_path": "kernel.py",\n  "runtime": "python",\n'
        '  "weight_path": "N/A",\n  "schema_version": "1"\n}\n',
    ),
    "readme": (
        {"README.md": None},
        "missing-file",
        "README.md",
        "# digits\n\nThe kernel is in `kernel.py`.\n\n## Request\n\n```json\n{}\n```\n",
    ),
    "readme-with-a-payload": (
        {"README.md": None, "payloads/one.json": '{"image": [1]}\n'},
        "missing-file",
        "README.md",
        '# digits\n\nThe kernel is in `kernel.py`.\n\n## Request\n\n```json\n{"image": [1]}\n```\n',
    ),
    "hook-name": (
        {"kernel.py": KERNEL.replace("def on_kernel_start", "def  on_kernal_start")},
        "kernel-hook-misspelt",
        "kernel.py",
        KERNEL.replace("def on_kernel_start", "def  on_kernel_start"),
    ),
    "hook-needs-an-argument": (
        {
            "kernel.py": KERNEL.replace("(self, kernel_context)", "( self )").replace(
                "kernel_context.", "str."
            )
        },
        "kernel-hook-arguments",
        "kernel.py",
        KERNEL.replace("(self, kernel_context)", "( self, kernel_context )").replace(
            "kernel_context.", "str."
        ),
    ),
    "hook-needs-self": (
        {"kernel.py": KERNEL.replace("(self, task_context)", "(task_context)")},
        "kernel-hook-arguments",
        "kernel.py",
        KERNEL,
    ),
    "hook-needs-all": (
        {
            "kernel.py": KERNEL.replace(
                "    def on_task", "    def on_kernel_shutdown():\n        pass\n\n    def on_task"
            )
        },
        "kernel-hook-arguments",
        "kernel.py",
        KERNEL.replace(
            "    def on_task", "    def on_kernel_shutdown(self):\n        pass\n\n    def on_task"
        ),
    ),
    "hook-with-more": (
        {"kernel.py": KERNEL.replace("self, task_context", "self, task_context, é: int, b")},
        "kernel-hook-arguments",
        "kernel.py",
        KERNEL.replace("self, task_context", "self, task_context, é: int = None, b=None"),
    ),
    "run": (
        {"kernel.py": KERNEL.partition("\n\n\nif __name__")[0]},
        "kernel-not-run",
        "kernel.py",
        KERNEL,
    ),
    "run-with-crlf": (
        {"kernel.py": KERNEL.partition("\n\nif __name__")[0].replace("\n", "\r\n")},
        "kernel-not-run",
        "kernel.py",
        KERNEL.replace("\n", "\r\n").replace("\r\n\r\n\r\nif", "\r\n\r\n\r\nif"),
    ),
    "guard": (
        {"kernel.py": KERNEL.replace('"__main__"', "'main'")},
        "kernel-not-run",
        "kernel.py",
        KERNEL,
    ),
    "base-class": (
        {"kernel.py": "\ufeff" + KERNEL.replace("(Kernel)", " ( )")},
        "kernel-no-class",
        "kernel.py",
        "\ufeff" + KERNEL,
    ),
    "swallowed": (
        {"kernel.py": KERNEL.replace(LOAD, f"{SWALLOW}        except Exception:\n{LOGGED}")},
        "kernel-error-swallowed",
        "kernel.py",
        KERNEL.replace(LOAD, f"{SWALLOW}        except Exception:\n{LOGGED}\n            raise"),
    ),
    "swallowed-by-pass": (
        {"kernel.py": KERNEL.replace(LOAD, f"{SWALLOW}        except:\n            pass")},
        "kernel-error-swallowed",
        "kernel.py",
        KERNEL.replace(LOAD, f"{SWALLOW}        except:\n            raise"),
    ),
}


@pytest.mark.parametrize(
    ("files", "code", "path", "content"),
    [pytest.param(*case, id=name) for name, case in MENDED.items()],
)
def test_a_fix_writes_this_and_nothing_else(
    make: MakeSubmission, files: Files, code: str, path: str, content: str
) -> None:
    folder = make(files)
    before = tree(folder)
    mend(folder, code)
    after = tree(folder)
    assert after.pop(path) == content.encode()
    before.pop(path, None)
    assert after == before
    assert code not in {found.code for found in check_folder(folder).findings}


@pytest.mark.parametrize(
    ("files", "code"),
    [
        # Nothing of it can become a name.
        ({"model.json": '{"name": "???", "kernel_path": "kernel.py"}'}, "invalid-name"),
        # The key is there already.
        ({"model.json": MODEL.replace(b"}", b', "naem": "x"}')}, "unknown-key"),
        # The value would be wrong under the right key.
        ({"model.json": MODEL.replace(b"}", b', "tagg": 3}')}, "unknown-key"),
        # Without the comma there still is no kernel_path, and no file that stands out.
        (
            {"model.json": '{"name": "a",}', "kernel.py": None, "a.py": "", "b.py": ""},
            "invalid-json",
        ),
        # It is there, but left out.
        ({".ediignore": "*.md\n"}, "missing-file"),
        # It would be left out.
        ({".ediignore": "*.md\n", "README.md": None}, "missing-file"),
        # Its twin is there.
        ({"README.md": None, "readme.md": "x"}, "missing-file"),
        # Nobody can say what the constructor wants.
        (
            {
                "kernel.py": KERNEL.partition("\n\nif __name__")[0].replace(
                    "    def on_kernel_start",
                    "    def __init__(self, size):\n        pass\n\n    def on_kernel_start",
                )
            },
            "kernel-not-run",
        ),
        # A source in another encoding is not rewritten.
        (
            {
                "kernel.py": (
                    "# coding: latin-1\n# é\n"
                    + KERNEL.replace("on_kernel_start", "on_kernal_start")
                ).encode("latin-1")
            },
            "kernel-hook-misspelt",
        ),
    ],
)
def test_no_fix_is_offered_that_would_not_help(
    make: MakeSubmission, files: Files, code: str
) -> None:
    found = [found for found in check_folder(make(files)).findings if found.code == code]
    assert [one.fix for one in found] == [None]


def test_a_fix_whose_file_changed_is_refused(make: MakeSubmission) -> None:
    folder = make({"model.json": '{"name": "My Digits", "kernel_path": "kernel.py"}'})
    fix = the_fix(folder, "invalid-name")
    newer = '{"name": "My Digits", "kernel_path": "kernel.py", "tag": "new"}'
    (folder / "model.json").write_text(newer)
    with pytest.raises(Conflict) as raised:
        apply_fix(folder, fix)
    assert raised.value.code == "changed_since_check"
    assert (folder / "model.json").read_text() == newer


@pytest.mark.parametrize("fix", ["", "nonsense", "../../etc/passwd", "0" * 32])
def test_only_what_was_offered_can_be_applied(make: MakeSubmission, fix: str) -> None:
    folder = make({"README.md": None})
    before = tree(folder)
    with pytest.raises(Conflict):
        apply_fix(folder, fix)
    assert tree(folder) == before


def test_a_fix_works_once(make: MakeSubmission) -> None:
    folder = make({"README.md": None})
    fix = the_fix(folder, "missing-file")
    apply_fix(folder, fix)
    written = tree(folder)
    with pytest.raises(Conflict):
        apply_fix(folder, fix)
    assert tree(folder) == written


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o664])
def test_the_mode_stays(make: MakeSubmission, mode: int) -> None:
    folder = make({"kernel.py": KERNEL.replace("on_kernel_start", "on_kernal_start")})
    (folder / "kernel.py").chmod(mode)
    mend(folder, "kernel-hook-misspelt")
    assert stat.S_IMODE((folder / "kernel.py").stat().st_mode) == mode


def test_a_new_file_has_the_usual_mode(make: MakeSubmission) -> None:
    folder = make({"README.md": None})
    before = os.umask(0o027)
    try:
        mend(folder, "missing-file")
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "README.md").stat().st_mode) == 0o640


def test_a_link_stays_a_link(make: MakeSubmission) -> None:
    folder = make({"kernel.py": None, "src/k.py": KERNEL.replace("kernel_start", "kernal_start")})
    (folder / "kernel.py").symlink_to("src/k.py")
    mend(folder, "kernel-hook-misspelt")
    assert (folder / "kernel.py").is_symlink()
    assert (folder / "src/k.py").read_text() == KERNEL


def racing(monkeypatch: pytest.MonkeyPatch, between: object) -> None:
    """Run ``between`` after the check inside of ``apply_fix``, before it writes."""

    def check(folder: Path, *, name: str | None = None) -> CheckReport:
        report = check_folder(folder, name=name)
        between(folder)  # type: ignore[operator]
        return report

    monkeypatch.setattr(fixes_module, "check_folder", check)


def test_a_file_that_appears_meanwhile_is_not_overwritten(
    make: MakeSubmission, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make({"README.md": None})
    fix = the_fix(folder, "missing-file")
    racing(monkeypatch, lambda folder: (folder / "README.md").write_text("mine"))
    with pytest.raises(Conflict):
        apply_fix(folder, fix)
    assert (folder / "README.md").read_text() == "mine"
    assert sorted(tree(folder)) == ["README.md", "kernel.py", "model.json"]


@pytest.mark.timeout(5)
@pytest.mark.parametrize("kind", ["link-outside", "fifo", "folder", "gone", "folder-is-a-link"])
def test_what_takes_the_place_of_the_file_is_not_touched(
    make: MakeSubmission, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    broken = KERNEL.replace("kernel_start", "kernal_start")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "k.py").write_text(broken)
    model = MODEL.replace(b"kernel.py", b"src/k.py")
    folder = make({"kernel.py": None, "src/k.py": broken, "model.json": model})
    fix = the_fix(folder, "kernel-hook-misspelt")
    file = folder / "src" / "k.py"

    def swap(_: Path) -> None:
        file.unlink()
        if kind == "link-outside":
            file.symlink_to(outside / "k.py")
        elif kind == "fifo":
            os.mkfifo(file)
        elif kind == "folder":
            file.mkdir()
        elif kind == "folder-is-a-link":
            (folder / "src").rmdir()
            (folder / "src").symlink_to(outside)

    racing(monkeypatch, swap)
    with pytest.raises(Conflict):
        apply_fix(folder, fix)
    assert (outside / "k.py").read_text() == broken
    assert os.listdir(outside) == ["k.py"]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, OutOfSpace),
        (errno.EIO, StorageFailure),
        (errno.EACCES, Conflict),
        (errno.EROFS, Conflict),
    ],
)
@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_failing_disk_leaves_the_file_as_it_was(
    make: MakeSubmission,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[Exception],
    call: str,
) -> None:
    folder = make({"kernel.py": KERNEL.replace("kernel_start", "kernal_start")})
    before = tree(folder)
    fix = the_fix(folder, "kernel-hook-misspelt")

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(kind):
            apply_fix(folder, fix)
    assert tree(folder) == before


def test_without_hard_links_a_new_file_is_written_all_the_same(
    make: MakeSubmission, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    folder = make({"README.md": None})
    mend(folder, "missing-file")
    assert (folder / "README.md").read_text().startswith("# digits")
    assert sorted(tree(folder)) == ["README.md", "kernel.py", "model.json"]


def test_the_faulty_example_is_faulty_and_can_be_mended(tmp_path: Path) -> None:
    folder = tmp_path / "faulty"
    shutil.copytree(EXAMPLES / "faulty", folder)
    report = check_folder(folder)
    assert {found.code for found in report.errors} == {
        "invalid-name",
        "kernel-not-found",
        "kernel-hook-misspelt",
        "kernel-hook-arguments",
        "kernel-not-run",
    }
    assert {found.code for found in report.warnings} == {
        "schema-version",
        "runtime-unknown",
        "unknown-key",
        "variable-risky",
        "kernel-error-swallowed",
        "kernel-batch-ignored",
        "kernel-no-answer",
        "readme-no-sample",
    }
    assert mend_all(folder).errors == ()


def test_the_other_examples_are_right() -> None:
    for name in ("digits", "pingpong"):
        assert check_folder(EXAMPLES / name).findings == ()


def mend_all(folder: Path) -> CheckReport:
    for _ in range(30):
        report = check_folder(folder)
        fix = next((found.fix for found in report.findings if found.fix), None)
        if fix is None:
            return report
        apply_fix(folder, fix.id)
    raise AssertionError("the fixes do not come to an end")


# --- any mixture of faults ---------------------------------------------------------------------

model_fields = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["digits", "My Digits", "", None, 3, "é"]),
        "nmae": st.sampled_from(["digits", "B", 7]),
        "kernel_path": st.sampled_from(
            ["kernel.py", "kernal.py", "../kernel.py", "other.py", None, 5]
        ),
        "kernal_path": st.sampled_from(["kernel.py", "other.py", ""]),
        "schema_version": st.sampled_from(["1", 1, "2", True, None]),
        "runtime": st.sampled_from(["python", "pyhton", "dlipy3", "cpp", "cp", 3]),
        "tag": st.sampled_from(["x", 1, None]),
        "mk_environments": st.sampled_from(
            [[], [{"name": "PATH", "value": 3}], [{"name": "REDHARE_X", "value": "1"}], "x"]
        ),
    },
)
replacements = st.lists(
    st.sampled_from(
        [
            ("on_kernel_start", "on_kernal_start"),
            ("on_task_invoke", "on_task_invok"),
            ("(self, kernel_context)", "(kernel_context)"),
            ("(self, kernel_context)", "(self)"),
            ("(self, kernel_context)", "()"),
            ("(self, task_context)", "(self, task_context, more)"),
            ('"__main__"', '"main"'),
            ("Echo().run()", "pass"),
            ('\n\nif __name__ == "__main__":\n    Echo().run()\n', ""),
            ("(Kernel)", ""),
            ("(Kernel)", "()"),
            ("import Kernel", "import Kernel as K"),
            (
                "        self.description = kernel_context.get_model_description()",
                "        try:\n            x = 1\n        except Exception:\n            return",
            ),
            ("class Echo", "class É"),
            (
                "    def on_kernel_start",
                "    def on_kernel_shutdown(self, x): pass\n\n    def on_kernel_start",
            ),
        ]
    ),
    max_size=4,
)


@st.composite
def faulty(draw: st.DrawFn) -> dict[str, str | bytes | None]:
    kernel = KERNEL
    for old, new in draw(replacements):
        kernel = kernel.replace(old, new)
    if draw(st.booleans()):
        kernel = kernel.replace("\n", "\r\n")
    text = json.dumps(draw(model_fields), indent=draw(st.sampled_from([None, 2, "\t"])))
    text = text.replace("}", draw(st.sampled_from(["}", ",}", "\n}"])))
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return {
        "model.json": draw(st.sampled_from([mark + text, mark + text, None])),
        "kernel.py": draw(st.sampled_from([kernel, kernel, mark + kernel, None])),
        "other.py": draw(st.sampled_from([None, None, "def broken(:", KERNEL])),
        "README.md": draw(st.sampled_from(["x", None])),
    }


def errors(findings: tuple[Finding, ...]) -> Counter[tuple[str, str | None]]:
    return Counter((found.code, found.file) for found in findings if found.severity == "error")


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for thousands of small files, in memory where possible."""
    shared = "/dev/shm"
    with tempfile.TemporaryDirectory(
        prefix="edi-test-", dir=shared if os.access(shared, os.W_OK) else None
    ) as path:
        yield Path(path)


def anew(folder: Path, files: Files) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return write(folder, files)


@settings(max_examples=examples(150), deadline=None)
@given(files=faulty())
def test_every_fix_takes_its_finding_away_and_brings_no_error(memory: Path, files: Files) -> None:
    folder = anew(memory / "first" / "digits", files)
    then = tree(folder)
    report = check_folder(folder)
    for found in report.findings:
        if found.fix is None:
            continue
        copy = anew(memory / "mended" / "digits", files)
        apply_fix(copy, found.fix.id)
        after = check_folder(copy).findings
        same = [one for one in after if (one.code, one.file) == (found.code, found.file)]
        before = [o for o in report.findings if (o.code, o.file) == (found.code, found.file)]
        assert len(same) < len(before)
        assert errors(after) <= errors(report.findings)
        changed = {path for path, data in tree(copy).items() if then.get(path) != data}
        assert changed == {found.fix.change.path}


@settings(max_examples=examples(40), deadline=None)
@given(files=faulty())
def test_fixes_one_after_the_other_come_to_an_end(memory: Path, files: Files) -> None:
    folder = anew(memory / "all" / "digits", files)
    errors_at_first = errors(check_folder(folder).findings)
    assert errors(mend_all(folder).findings) <= errors_at_first
