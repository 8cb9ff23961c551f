"""What is said about kernel files. None of them is ever run."""

from __future__ import annotations

import sys
import textwrap
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.examples import examples

from edi_labext.submission import Finding, check_folder
from edi_labext.submission.checks.kernel_file import read_source
from edi_labext.submission.checks.spelling import distance, nearest

from .conftest import KERNEL, MODEL, MakeSubmission, write

IMPORTS = "import redhareapiversion\nfrom redhareapi import Kernel\n"
RUN = '\nif __name__ == "__main__":\n    K().run()\n'
LOOP = """
    def on_task_invoke(self, task_context):
        while task_context is not None:
            task_context.set_output_data("")
            task_context = task_context.next()
"""


def kernel(body: str, rest: str = LOOP) -> str:
    """A script around the body of its class, which starts in line 4."""
    body = textwrap.indent(textwrap.dedent(body), "    ")
    return f"{IMPORTS}class K(Kernel):\n{body}\n{rest}{RUN}"


def told(finding: Finding) -> str:
    return f"{finding.place} {finding.severity} {finding.code}"


def found_in(make: MakeSubmission, source: str | bytes, **more: str | bytes) -> list[str]:
    return [told(found) for found in check_folder(make({"kernel.py": source, **more})).findings]


# --- scripts that are right --------------------------------------------------------------------

GOOD = {
    "plain": KERNEL,
    "only-the-task-hook": f"{IMPORTS}class K(Kernel):{LOOP}{RUN}",
    "module-import": KERNEL.replace("from redhareapi import Kernel", "import redhareapi").replace(
        "(Kernel)", "(redhareapi.Kernel)"
    ),
    "module-alias": KERNEL.replace(
        "from redhareapi import Kernel", "import redhareapi as api"
    ).replace("(Kernel)", "(api.Kernel)"),
    "alias": KERNEL.replace("import Kernel", "import Kernel as Base").replace("(Kernel)", "(Base)"),
    "star": KERNEL.replace("import Kernel", "import *"),
    "renamed": KERNEL.replace("class Echo(Kernel)", "Base = Kernel\n\n\nclass Echo(Base)"),
    "version-module-in-try": KERNEL.replace(
        "import redhareapiversion",
        "try:\n    import redhareapiversion\nexcept ImportError:\n    pass",
    ),
    "no-guard": KERNEL.replace('if __name__ == "__main__":\n    Echo', "Echo"),
    "guard-the-other-way": KERNEL.replace('__name__ == "__main__"', '"__main__" == __name__'),
    "run-in-main": KERNEL.replace(
        'if __name__ == "__main__":\n    Echo().run()',
        "def main():\n    echo = Echo()\n    echo.run()\n\n\n"
        'if __name__ == "__main__":\n    main()',
    ),
    "own-base-class": f"{IMPORTS}class Base(Kernel):{LOOP}\nclass K(Base):\n    pass\n{RUN}",
    "own-init": KERNEL.replace(
        "    def on_kernel_start",
        "    def __init__(self):\n        self.n = 0\n\n    def on_kernel_start",
    ),
    "optional-arguments": KERNEL.replace("(self, kernel_context)", "(self, kernel_context, x=1)"),
    "star-arguments": KERNEL.replace("(self, kernel_context)", "(self, *args, **kwargs)").replace(
        "kernel_context.get", "args[0].get"
    ),
    "other-argument-names": KERNEL.replace("task_context", "ctx"),
    "annotations": KERNEL.replace("self, task_context)", 'self, task_context: "T") -> None'),
    "static-hook": KERNEL.replace(
        "    def on_task_invoke(self, task_context)",
        "    @staticmethod\n    def on_task_invoke(task_context)",
    ),
    "assigned-hook": f"{IMPORTS}def answer(self, task_context):\n    task_context.next()\n"
    f"class K(Kernel):\n    on_task_invoke = answer\n{RUN}",
    "helper-with-a-near-name": KERNEL.replace(
        "    def on_task_invoke",
        "    def on_task_invoke_(self):\n        return 1\n\n    def on_task_invoke",
    ),
    "error-is-told": KERNEL.replace(
        "            task_context.set_output_data(task_context.get_input_data())",
        "            try:\n                task_context.set_output_data(str(1 / 0))\n"
        "            except Exception as error:\n"
        "                task_context.set_output_data(str(error))",
    ),
    "error-goes-on": KERNEL.replace(
        "        self.description = kernel_context.get_model_description()",
        "        try:\n            self.description = 1\n"
        "        except Exception as error:\n            print(error)\n            raise",
    ),
    "narrow-exception": KERNEL.replace(
        "        self.description = kernel_context.get_model_description()",
        "        try:\n            self.description = open('x').read()\n"
        "        except FileNotFoundError:\n            self.description = ''",
    ),
    "ends-the-process": KERNEL.replace(
        "        self.description = kernel_context.get_model_description()",
        "        try:\n            self.description = 1\n"
        "        except Exception:\n            import os\n            os._exit(1)",
    ),
    "result-then-answer": KERNEL.replace(
        "            task_context.set_output_data(task_context.get_input_data())",
        "            try:\n                answer = 1 / 0\n            except Exception:\n"
        "                answer = 0\n            task_context.set_output_data(str(answer))",
    ),
    "collects-then-answers": f"""{IMPORTS}
class K(Kernel):
    def on_task_invoke(self, task_context):
        tasks = []
        while task_context != None:
            tasks.append(task_context)
            task_context = task_context.next()
        for task in tasks:
            task.set_output_data("")
{RUN}""",
    "answers-in-a-helper": f"""{IMPORTS}
class K(Kernel):
    def on_task_invoke(self, task_context):
        while task_context is not None:
            try:
                self.answer(task_context)
            except Exception as error:
                self.fail(task_context, error)
            task_context = task_context.next()

    def answer(self, task): task.set_output_data("")
    def fail(self, task, error): task.set_output_data(str(error))
{RUN}""",
    "crlf": KERNEL.replace("\n", "\r\n"),
    "cr": KERNEL.replace("\n", "\r"),
    "byte-order-mark": "\ufeff" + KERNEL,
    "latin-1-declared": ("# -*- coding: latin-1 -*-\n# caf\xe9\n" + KERNEL).encode("latin-1"),
    "form-feed": KERNEL.replace("class Echo", "\f\nclass Echo"),
    "empty-lines-and-tabs": KERNEL.replace("    ", "\t"),
}


@pytest.mark.parametrize("source", [pytest.param(text, id=name) for name, text in GOOD.items()])
def test_nothing_is_said_about_a_good_kernel(make: MakeSubmission, source: str | bytes) -> None:
    assert found_in(make, source) == []


PYTHON_38 = '''"""What Python 3.8 knows, also what newer ones complain about."""
import re
import typing as t
from redhareapi import Kernel

PATTERN = "\\d+\\w"  # an invalid escape: only a warning, in any version so far


def first(a, b, /, c=0, *, d: t.Optional[int] = None):
    if (n := len([a, b])) > 1:
        return f"{n=} {a!r:>{10}}"
    return 1if c else 2


class K(Kernel):
    async def background(self):
        async with self.lock:
            return [x async for x in self.queue]

    def on_task_invoke(self, task_context):
        while task_context != None:
            task_context.set_output_data(first(1, 2))
            task_context = task_context.next()


if __name__ == "__main__":
    K().run()
'''


@pytest.mark.parametrize("runtime", ["python", "dlipy3", "condaenvpy38"])
def test_what_python_38_knows_is_read_without_a_word(make: MakeSubmission, runtime: str) -> None:
    model = MODEL.replace(b'"1"', f'"1", "runtime": "{runtime}"'.encode())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found_in(make, PYTHON_38, **{"model.json": model}) == []


def test_a_runtime_with_an_older_python_than_the_file_needs(make: MakeSubmission) -> None:
    source = KERNEL.replace(
        "        self.description =",
        "        match kernel_context:\n            case None: return\n        self.description =",
    )
    model = MODEL.replace(b'"1"', b'"1", "runtime": "dlipy3"')
    report = check_folder(make({"kernel.py": source, "model.json": model}))
    assert [(found.severity, found.code) for found in report.findings] == [
        ("warning", "kernel-newer-syntax")
    ]
    assert "has Python 3.8" in report.findings[0].message


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python knows it")
@pytest.mark.parametrize(
    "line",
    ["type Row = list[float]", "def first[T](row: list[T]) -> T: ...", 'f"{x["a"]}"'],
)
def test_what_only_newer_pythons_know_is_a_warning(make: MakeSubmission, line: str) -> None:
    [found] = found_in(make, f"x = {{}}\n{line}\n{KERNEL}")
    assert found.startswith("kernel.py:2:")
    assert found.endswith("warning kernel-newer-syntax")


# --- faults ------------------------------------------------------------------------------------

FAULTS: dict[str, tuple[str | bytes, list[str]]] = {
    "empty": ("", ["kernel.py:1:1 error kernel-no-class"]),
    "python-2": ("print 'x'\n", ["kernel.py:1:1 error kernel-syntax"]),
    "NUL": (b"x = 1\n\0", ["kernel.py:2:1 error kernel-syntax"]),
    "utf-16": (KERNEL.encode("utf-16"), ["kernel.py:1:1 error kernel-not-utf8"]),
    "unknown-encoding": (b"# coding: klingon\n", ["kernel.py:1:1 error kernel-syntax"]),
    "encoding-of-bytes": (b"# coding: rot13\n", ["kernel.py:1:1 error kernel-syntax"]),
    "no-class": (f"{IMPORTS}print(1)\n", ["kernel.py:1:1 error kernel-no-class"]),
    "not-derived": (
        f"{IMPORTS}class K:{LOOP}{RUN}",
        ["kernel.py:3:1 error kernel-no-class"],
    ),
    "derived-from-something-else": (
        f"{IMPORTS}class K(object):{LOOP}{RUN}",
        ["kernel.py:3:1 error kernel-no-class"],
    ),
    "misspelt": (
        kernel("def on_kernal_start(self, c): pass"),
        ["kernel.py:4:5 error kernel-hook-misspelt"],
    ),
    "camel-case": (
        kernel("def onKernelStart(self, c): pass"),
        ["kernel.py:4:5 error kernel-hook-misspelt"],
    ),
    "swapped-letters": (
        kernel("def on_kernel_shutdwon(self): pass"),
        ["kernel.py:4:5 error kernel-hook-misspelt"],
    ),
    "misspelt-task-hook": (
        f"{IMPORTS}class K(Kernel):{LOOP}{RUN}".replace("invoke", "invok"),
        ["kernel.py:4:5 error kernel-hook-misspelt"],
    ),
    "misspelt-under-an-unknown-base": (
        f"from mixins import Loud\n{IMPORTS}class K(Loud, Kernel):{LOOP}{RUN}".replace(
            "invoke", "invok"
        ),
        ["kernel.py:5:5 warning kernel-hook-misspelt"],
    ),
    "no-task-hook": (
        kernel("def on_kernel_start(self, kernel_context): pass", ""),
        ["kernel.py:3:1 warning kernel-no-task-hook"],
    ),
    "start-without-argument": (
        kernel("def on_kernel_start(self): pass"),
        ["kernel.py:4:5 error kernel-hook-arguments"],
    ),
    "shutdown-with-argument": (
        kernel("def on_kernel_shutdown(self, kernel_context): pass"),
        ["kernel.py:4:5 error kernel-hook-arguments"],
    ),
    "without-self": (
        kernel("def on_kernel_start(kernel_context): pass"),
        ["kernel.py:4:5 error kernel-hook-arguments"],
    ),
    "without-anything": (
        kernel("def on_kernel_shutdown(): pass"),
        ["kernel.py:4:5 error kernel-hook-arguments"],
    ),
    "by-name-only": (
        kernel("def on_kernel_start(self, kernel_context, *, fast): pass"),
        ["kernel.py:4:5 error kernel-hook-arguments"],
    ),
    "async": (
        kernel("async def on_kernel_start(self, kernel_context): pass"),
        ["kernel.py:4:5 error kernel-hook-async"],
    ),
    "not-run": (
        f"{IMPORTS}class K(Kernel):{LOOP}",
        ["kernel.py:3:1 error kernel-not-run"],
    ),
    "made-but-not-run": (
        f"{IMPORTS}class K(Kernel):{LOOP}{RUN}".replace(".run()", ""),
        ["kernel.py:3:1 error kernel-not-run"],
    ),
    "only-subprocess-runs": (
        f"import subprocess\n{IMPORTS}class K(Kernel):{LOOP}\nsubprocess.run(['ls'])\n",
        ["kernel.py:4:1 error kernel-not-run"],
    ),
    "given-to-something": (
        f"from serving import serve\n{IMPORTS}class K(Kernel):{LOOP}\nserve(K)\n",
        ["kernel.py:4:1 warning kernel-not-run"],
    ),
    "wrong-guard": (
        f"{IMPORTS}class K(Kernel):{LOOP}{RUN}".replace('"__main__"', '"main"'),
        ["kernel.py:9:4 error kernel-not-run"],
    ),
    "start-swallows": (
        kernel(
            """
            def on_kernel_start(self, kernel_context):
                try:
                    self.model = 1
                except:
                    pass
            """
        ),
        ["kernel.py:8:9 warning kernel-error-swallowed"],
    ),
    "start-logs-and-goes-on": (
        kernel(
            """
            def on_kernel_start(self, kernel_context):
                try:
                    self.model = 1
                except (ValueError, Exception) as error:
                    Kernel.log_error(error)
            """
        ),
        ["kernel.py:8:9 warning kernel-error-swallowed"],
    ),
    "error-without-answer": (
        f"""{IMPORTS}
class K(Kernel):
    def on_task_invoke(self, task_context):
        while task_context is not None:
            try:
                task_context.set_output_data(str(1 / 0))
            except Exception as error:
                Kernel.log_error(error)
            task_context = task_context.next()
{RUN}""",
        ["kernel.py:9:13 warning kernel-no-answer"],
    ),
    "returns-without-answer": (
        f"""{IMPORTS}
class K(Kernel):
    def on_task_invoke(self, task_context):
        try:
            data = int(task_context.get_input_data())
        except ValueError:
            return
        task_context.set_output_data(data)
        task_context.next()
{RUN}""",
        ["kernel.py:8:9 warning kernel-no-answer"],
    ),
    "first-of-a-batch": (
        kernel("def on_task_invoke(self, task_context): task_context.set_output_data('')", ""),
        ["kernel.py:4:5 warning kernel-batch-ignored"],
    ),
    "characters-not-bytes": (
        kernel("x = 0", "").replace("x = 0", "x = 'äöü'; print 1"),
        ["kernel.py:4:16 error kernel-syntax"],
    ),
}


@pytest.mark.parametrize(
    ("source", "findings"), [pytest.param(*case, id=name) for name, case in FAULTS.items()]
)
def test_a_fault_is_found_where_it_is(
    make: MakeSubmission, source: str | bytes, findings: list[str]
) -> None:
    assert found_in(make, source) == findings


def test_a_kernel_from_another_file_is_not_an_error(make: MakeSubmission) -> None:
    source = "from service import main\n\nmain()\n"
    assert found_in(make, source, **{"service.py": KERNEL}) == [
        "kernel.py:1:1 warning kernel-no-class"
    ]


def test_a_base_class_from_another_file(make: MakeSubmission) -> None:
    source = f"from base import Base\n\n\nclass K(Base):{LOOP}{RUN}"
    assert found_in(make, source, **{"base.py": KERNEL}) == []


def test_a_cpp_kernel_is_not_read_as_python(make: MakeSubmission) -> None:
    model = MODEL.replace(b"kernel.py", b"kernel.so").replace(b'"1"', b'"1", "runtime": "cpp"')
    files = {"model.json": model, "kernel.py": None, "kernel.so": b"\x7fELF"}
    assert check_folder(make(files)).findings == ()


def test_a_giant_kernel_file_is_not_read(make: MakeSubmission) -> None:
    source = KERNEL + "#" * (1 << 20)
    assert found_in(make, source) == ["kernel.py warning kernel-not-checked"]


@pytest.mark.parametrize(
    "source",
    ["(" * 5000, "-" * 20_000 + "1", "x = " + "[" * 150 + "]" * 150, "a" + ".b" * 20_000],
    ids=["brackets", "minus", "lists", "attributes"],
)
@pytest.mark.timeout(10)
def test_deep_nesting_ends_in_a_finding(make: MakeSubmission, source: str) -> None:
    report = check_folder(make({"kernel.py": source}))
    assert [found.code for found in report.errors] in (["kernel-syntax"], ["kernel-no-class"])


def test_nothing_of_the_folder_is_run(make: MakeSubmission, tmp_path: Path) -> None:
    touch = f"open({str(tmp_path / 'ran')!r}, 'w')\n"
    check_folder(make({"kernel.py": touch + KERNEL, "redhareapi.py": touch, "helper.py": touch}))
    assert not (tmp_path / "ran").exists()


def test_all_faults_of_a_folder_are_listed_at_once(make: MakeSubmission) -> None:
    report = check_folder(
        make(
            {
                "model.json": b'{"name": "My Model", "kernel_path": "kernal.py"}',
                "README.md": None,
                "kernel.py": f"{IMPORTS}class K(Kernel):{LOOP}",
            }
        )
    )
    assert [told(found) for found in report.errors] == [
        "model.json:1:10 error invalid-name",
        "model.json:1:37 error kernel-not-found",
        "kernel.py:3:1 error kernel-not-run",
        "README.md error missing-file",
    ]


def test_an_ordinary_folder_takes_less_than_300_ms(make: MakeSubmission) -> None:
    methods = "".join(
        f"\n    def part_{n}(self, x):\n        return [x * {n} for _ in range({n})]\n"
        for n in range(200)
    )
    source = KERNEL.replace("\n\nif __name__", f"{methods}\n\nif __name__").replace(
        "on_kernel_start", "on_kernal_start"
    )
    files = {f"data/{n}.json": '{"image": [0.5, 0.25]}' * 20 for n in range(200)}
    folder = make({"kernel.py": source, "weights.bin": bytes(5_000_000), **files})
    check_folder(folder)
    started = time.process_time()
    check_folder(folder)
    assert time.process_time() - started < 0.3


# --- any text at all ---------------------------------------------------------------------------


@settings(max_examples=examples(150), deadline=None)
@given(
    start=st.integers(0, len(KERNEL)),
    end=st.integers(0, len(KERNEL)),
    new=st.one_of(
        st.text(max_size=6),
        st.sampled_from(
            ["\n", "    ", "def ", "(", '"', "class X(Kernel):\n", "try:\n", "\0", "ä"]
        ),
    ),
)
def test_a_changed_kernel_never_raises(
    tmp_path_factory: pytest.TempPathFactory, start: int, end: int, new: str
) -> None:
    source = (KERNEL[:start] + new + KERNEL[end:]).encode("utf-8", "surrogatepass")
    folder = write(tmp_path_factory.mktemp("any") / "digits", {"kernel.py": source})
    for found in check_folder(folder).findings:
        assert found.line is None or found.line >= 1
        assert found.column is None or found.column >= 1


@settings(max_examples=examples(100), deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read_source(data)


@settings(max_examples=examples(100), deadline=None)
@given(one=st.text("abc_", max_size=8), other=st.text("abc_", max_size=8))
def test_distance_counts_changes(one: str, other: str) -> None:
    apart = distance(one, other)
    assert apart == distance(other, one)
    assert (apart == 0) == (one == other)
    assert abs(len(one) - len(other)) <= apart <= max(len(one), len(other))
    assert distance(one, one[::-1][::-1] + "x") == 1


@pytest.mark.parametrize(
    ("word", "expected"),
    [("nmae", "name"), ("kernal_path", "kernel_path"), ("TAG", "tag"), ("x", None), ("mode", None)],
)
def test_the_nearest_word(word: str, expected: str | None) -> None:
    assert nearest(word, ["name", "kernel_path", "tag"]) == expected
