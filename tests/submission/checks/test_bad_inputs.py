"""Rows 1-24 and 48-56 of the table of bad inputs; each test id starts with the number of its row.

Per row: the files, and every finding as ``place severity code``, in order. The rows that are about
a route (49: a path that is decoded) or an EDI (55) are tested where those are.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.examples import examples

from edi_labext.errors import EdiError, InvalidInput, TooLarge
from edi_labext.models import parse_submission
from edi_labext.submission import Finding, check_folder, inspect

from .conftest import KERNEL, MODEL, Files, MakeSubmission


def told(finding: Finding) -> str:
    return f"{finding.place} {finding.severity} {finding.code}"


def model(**fields: object) -> bytes:
    """One line, so that the columns can be counted; ``...`` leaves a field out."""
    document = {"name": "digits", "kernel_path": "kernel.py", "schema_version": "1", **fields}
    return json.dumps({key: value for key, value in document.items() if value is not ...}).encode()


def variables(name: str, value: object = "x") -> bytes:
    return model(mk_environments=[{"name": name, "value": value}])


ROWS: list[tuple[str, Files, list[str]]] = [
    ("01-missing", {"model.json": None}, ["model.json error missing-file"]),
    (
        "02-in-a-sub-folder",
        {"model.json": None, "sub/model.json": MODEL},
        ["model.json error missing-file"],
    ),
    (
        "03-two-by-case",
        {"MODEL.json": MODEL},
        ["model.json error duplicate-path"],
    ),
    ("04-empty", {"model.json": b""}, ["model.json:1:1 error invalid-json"]),
    ("04-whitespace", {"model.json": b" \n\t "}, ["model.json:2:3 error invalid-json"]),
    (
        "05-trailing-comma",
        {"model.json": b'{\n "name": "a",\n}'},
        # Newer Pythons point at the comma itself.
        [f"model.json:{'2:13' if sys.version_info >= (3, 13) else '3:1'} error invalid-json"],
    ),
    (
        "05-comment",
        {"model.json": b'{\n  // the name\n "name": "a"}'},
        ["model.json:2:3 error invalid-json"],
    ),
    (
        "05-single-quotes",
        {"model.json": b"{'name': 'a'}"},
        ["model.json:1:2 error invalid-json"],
    ),
    (
        "06-byte-order-mark",
        {"model.json": b"\xef\xbb\xbf" + MODEL},
        ["model.json:1:1 warning byte-order-mark"],
    ),
    (
        "07-utf-16",
        {"model.json": MODEL.decode().encode("utf-16")},
        ["model.json:1:1 error not-utf8"],
    ),
    (
        "07-latin-1",
        {"model.json": '{"name":\n "\xe4"}'.encode("latin-1")},
        ["model.json:2:3 error not-utf8"],
    ),
    ("08-array", {"model.json": b"[]"}, ["model.json:1:1 error expected-object"]),
    ("08-string", {"model.json": b' "x"'}, ["model.json:1:2 error expected-object"]),
    ("08-null", {"model.json": b"null"}, ["model.json:1:1 error expected-object"]),
    ("08-number", {"model.json": b"3"}, ["model.json:1:1 error expected-object"]),
    (
        "09-duplicate-key",
        {"model.json": b'{"name": "a",\n "name": "b", "kernel_path": "kernel.py"}'},
        ["model.json:2:2 error duplicate-key"],
    ),
    *(
        (
            f"10-{number}",
            {"model.json": f'{{"name": "a",\n  "x": {number}}}'.encode()},
            ["model.json:2:8 error invalid-number"],
        )
        for number in ("NaN", "Infinity", "-Infinity", "1e999")
    ),
    (
        "11-5000-digits",
        {"model.json": b'{"x": ' + b"9" * 5000 + b"}"},
        ["model.json:1:7 error invalid-number"],
    ),
    (
        "12-nested",
        {"model.json": b"[" * 100_000},
        ["model.json:1:65 error too-deep"],
    ),
    (
        "13-over-1-MiB",
        {"model.json": b'{"x": "' + b" " * (1 << 20) + b'"}'},
        ["model.json error file-too-large"],
    ),
    (
        "14-lone-surrogate",
        {"model.json": b'{"name": "a\\ud800", "kernel_path": "kernel.py"}'},
        ["model.json:1:12 error invalid-text"],
    ),
    ("15-missing", {"model.json": model(name=...)}, ["model.json:1:1 error missing-field"]),
    ("15-null", {"model.json": model(name=None)}, ["model.json:1:10 error missing-field"]),
    ("15-number", {"model.json": model(name=3)}, ["model.json:1:10 error invalid-field"]),
    ("15-list", {"model.json": model(name=["a"])}, ["model.json:1:10 error invalid-field"]),
    (
        "17-missing",
        {"model.json": model(kernel_path=...)},
        ["model.json:1:1 error missing-field"],
    ),
    (
        "17-file-absent",
        {"model.json": model(kernel_path="other.py")},
        ["model.json:1:35 error kernel-not-found"],
    ),
    *(
        (
            f"18-{path}",
            {"model.json": model(kernel_path=path)},
            ["model.json:1:35 error path-outside"],
        )
        for path in ("../k.py", "/etc/k.py", "a/../../k.py", ".", "a\\b.py", "")
    ),
    (
        "19-directory",
        {"kernel.py": None, "kernel.py/x.txt": "x"},
        ["model.json:3:18 error kernel-not-found"],
    ),
    (
        "19-not-py",
        {"model.json": model(kernel_path="kernel.txt"), "kernel.txt": KERNEL},
        ["kernel.txt error kernel-not-python"],
    ),
    (
        "19-not-utf-8",
        {"kernel.py": KERNEL.encode() + b"\n# caf\xe9\n"},
        ["kernel.py:20:6 error kernel-not-utf8"],
    ),
    (
        "19-syntax-error",
        {"kernel.py": KERNEL + "\ndef broken(:\n    pass\n"},
        ["kernel.py:20:12 error kernel-syntax"],
    ),
    (
        "20-unknown-runtime",
        {"model.json": model(runtime="cobol")},
        ["model.json:1:82 warning runtime-unknown"],
    ),
    (
        "21-number",
        {"model.json": model(schema_version=1)},
        ["model.json:1:66 warning schema-version"],
    ),
    (
        "21-missing",
        {"model.json": model(schema_version=...)},
        ["model.json:1:1 warning schema-version"],
    ),
    *(
        (
            f"21-{version!r}",
            {"model.json": model(schema_version=version)},
            ["model.json:1:66 error invalid-field"],
        )
        for version in ("2", 2, "", None, True, 1.0, ["1"])
    ),
    (
        "22-unknown-key",
        {"model.json": model(kernal_path="x.py", colour="red")},
        ["model.json:1:71 warning unknown-key", "model.json:1:94 warning unknown-key"],
    ),
    *(
        (
            f"23-{name}",
            {"model.json": variables(name)},
            ["model.json:1:100 warning variable-risky"],
        )
        for name in ("LD_PRELOAD", "PATH", "PYTHONPATH", "with space")
    ),
    *(
        (
            f"23-{name!r}",
            {"model.json": variables(name)},
            ["model.json:1:100 error invalid-field"],
        )
        for name in ("A=B", "", "A\0", "PATH=1")
    ),
    (
        "23-value-with-NUL",
        {"model.json": variables("A", "\0")},
        ["model.json:1:100 error invalid-field"],
    ),
    *(
        (
            f"23-{name}",
            {"model.json": variables(name)},
            ["model.json:1:100 error variable-reserved"],
        )
        for name in ("REDHARE_MODEL_NAME", "MSD_POD_NAME")
    ),
    ("24-missing", {"README.md": None}, ["README.md error missing-file"]),
    ("24-not-utf-8", {"README.md": b"caf\xe9\n```json\n{}\n```\n"}, []),
    ("24-50-MB", {"README.md": b"x" * 50_000_000}, ["README.md error file-too-large"]),
]


@pytest.mark.timeout(10)
@pytest.mark.parametrize(("files", "findings"), [pytest.param(*row[1:], id=row[0]) for row in ROWS])
def test_row(make: MakeSubmission, files: Files, findings: list[str]) -> None:
    report = check_folder(make(files))
    assert [told(found) for found in report.findings] == findings
    for found in report.findings:
        assert found.message
        assert found.why
        (found.message + str(found.hint)).encode()  # it must survive the way to a browser
    if report.errors:
        with pytest.raises(InvalidInput) as raised:
            report.require_deployable()
        assert raised.value.code == report.errors[0].code.replace("-", "_")
        assert isinstance(raised.value, TooLarge) == ("large" in raised.value.code)
    else:
        assert report.require_deployable().kernel_path


def test_row_02_says_where_it_is(make: MakeSubmission) -> None:
    [found] = check_folder(make({"model.json": None, "sub/model.json": MODEL})).findings
    assert "'sub/model.json'" in str(found.hint)


def test_row_16_the_name_differs_from_the_argument(make: MakeSubmission) -> None:
    folder = make()
    [found] = check_folder(folder, name="other").findings
    assert told(found) == "model.json:2:11 warning name-mismatch"
    assert check_folder(folder, name="digits").findings == ()


@pytest.mark.parametrize("name", ['"Bad Name"', "3", "null", '""'])
def test_a_valid_name_stands_for_whatever_the_file_has(make: MakeSubmission, name: str) -> None:
    folder = make({"model.json": f'{{"name": {name}, "kernel_path": "kernel.py"}}'})
    assert any(found.field == "name" for found in check_folder(folder).errors)
    report = check_folder(folder, name="other")
    assert report.errors == ()
    assert report.require_deployable().name == "other"
    assert [found.field for found in check_folder(folder, name="Other").errors] == ["name", "name"]


def test_row_18_a_kernel_that_is_a_link(make: MakeSubmission, tmp_path: Path) -> None:
    (tmp_path / "k.py").write_text(KERNEL)
    folder = make({"kernel.py": None})
    (folder / "kernel.py").symlink_to(tmp_path / "k.py")
    assert [told(found) for found in check_folder(folder).findings] == [
        "model.json:3:18 error kernel-not-found",
        "kernel.py error link-outside",
    ]


def test_row_22_names_the_nearest_key(make: MakeSubmission) -> None:
    data = model(wieght_path="w.bin", kernal_path="x.py", colour="red")
    hints = [found.hint for found in check_folder(make({"model.json": data})).findings]
    assert hints == [
        "Is 'weight_path' meant?",
        "It is kept, but nothing reads it.",  # there is a kernel_path already
        "It is kept, but nothing reads it.",
    ]


NAMES = [
    ("48-empty", ""),
    ("48-spaces", "   "),
    ("48-64-characters", "a" * 64),
    ("49-dot", "."),
    ("49-dots", ".."),
    ("49-slash", "a/b"),
    ("49-backslash", "a\\b"),
    ("49-percent", "%2e%2e"),
    ("49-percent-twice", "%252e"),
    ("50-rf", "-rf"),
    ("50-help", "--help"),
    ("51-upper-case", "A"),
    ("51-NFC", "\u00e9"),
    ("51-NFD", "e\u0301"),
    ("51-ligature", "\ufb01le"),
    ("51-zero-width", "a\u200bb"),
    ("51-right-to-left", "\u202eabc"),
    ("51-emoji", "\U0001f600"),
    ("51-cyrillic", "\u0430bc"),
    ("51-arabic-digit", "a\u0663"),
    ("52-newline", "a\n"),
    ("52-NUL", "a\0"),
    ("52-tab", "a\tb"),
    ("54-markup", "<img onerror=alert(1)>"),
    ("54-template", "${x}"),
    ("54-braces", "{{x}}"),
    ("54-percent-s", "%s"),
    ("54-sql", "'; drop table"),
]


@pytest.mark.parametrize("name", [pytest.param(name, id=row) for row, name in NAMES])
def test_row_of_names(make: MakeSubmission, name: str) -> None:
    folder = make({"model.json": model(name=name)})
    written = check_folder(folder)
    (folder / "model.json").write_bytes(MODEL)
    given = check_folder(folder, name=name)
    assert (written.errors[0].place, given.errors[0].place) == ("model.json:1:10", ".")
    for report in (written, given):
        [found] = report.errors
        assert (found.code, found.field) == ("invalid-name", "name")
        assert "lower-case letters a-z" in str(found.hint)  # the grammar
        assert found.message.isascii()
        assert found.message.isprintable()


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, id=f"53-{n}") for n in ("healthz", "metrics", "con", "nul", "inference")],
)
def test_row_53_no_name_is_reserved(make: MakeSubmission, name: str) -> None:
    assert check_folder(make({"model.json": model(name=name)}), name=name).findings == ()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        pytest.param(3, "invalid-field", id="56-number"),
        pytest.param(True, "invalid-field", id="56-boolean"),
        pytest.param(None, "missing-field", id="56-null"),
        pytest.param(["a"], "invalid-field", id="56-list"),
        pytest.param({"a": "b"}, "invalid-field", id="56-object"),
    ],
)
def test_row_56_a_name_that_is_no_text(make: MakeSubmission, name: object, code: str) -> None:
    [found] = check_folder(make({"model.json": model(name=name)})).findings
    assert (found.code, found.field) == (code, "name")


# --- beyond the rows ---------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
some_model = st.one_of(
    st.binary(max_size=200),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(
        st.sampled_from(
            ["name", "kernel_path", "runtime", "schema_version", "mk_environments", "tag", "x"]
        ),
        st.sampled_from(["digits", "kernel.py", "1", 1, None, [{"name": "A", "value": "b"}]])
        | json_values,
    ).map(lambda value: json.dumps(value, indent=1).encode()),
    st.tuples(st.integers(0, len(MODEL)), st.integers(0, len(MODEL)), st.binary(max_size=4)).map(
        lambda cut: MODEL[: cut[0]] + cut[2] + MODEL[cut[1] :]
    ),
)


@settings(max_examples=examples(200), deadline=None)
@given(data=some_model)
def test_any_model_json_is_refused_exactly_when_it_cannot_be_read(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("any", numbered=True) / "digits"
    os.mkdir(folder)
    for name, content in (("model.json", data), ("README.md", b"x"), ("kernel.py", b"")):
        (folder / name).write_bytes(content)
    (folder / "kernel.py").write_text(KERNEL)
    report = check_folder(folder)
    # Variables of EDI's own are refused by the checks alone.
    errors = {found.code for found in report.errors} - {"variable-reserved", "kernel-not-python"}
    try:
        readable = parse_submission(data).kernel_path in {"kernel.py", "./kernel.py"}
    except EdiError:
        readable = False
    assert bool(errors) == (not readable)
    # What inspect reports, the checks report.
    problems = {problem.code.replace("_", "-") for problem in inspect(folder).problems}
    assert problems <= {found.code for found in report.errors}
    for found in report.findings:
        if found.line is not None:
            lines = data.decode("utf-8", "replace").split("\n")
            assert 1 <= found.line <= len(lines)
