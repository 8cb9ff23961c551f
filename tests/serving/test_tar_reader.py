"""The pure half of the archive room: what the reader makes of bytes."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import archives
from support.examples import examples
from support.hostile_archives import HOSTILE

from edi_labext.errors import EdiError, InvalidInput, TooLarge, UnsupportedMedia
from edi_labext.serving.archive.limits import ArchiveLimits
from edi_labext.serving.archive.paths import Names, split_path
from edi_labext.serving.archive.streams import open_tar
from edi_labext.serving.archive.tar_reader import TarReader

LIMITS = ArchiveLimits()


def read(data: bytes, limits: ArchiveLimits = LIMITS, step: int = 1 << 16) -> dict[str, bytes]:
    """Everything in an archive: folders end in "/" and have no contents."""
    blocks = (data[at : at + step] for at in range(0, len(data), step))
    reader = TarReader(open_tar(blocks, limits), limits)
    found = {}
    for entry in reader.entries():
        path = "/".join(entry.parts) + ("/" if entry.directory else "")
        found[path] = b"".join(reader.contents())
    return found


@pytest.mark.parametrize("format_", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("mode", ["w:", "w:gz"])
@pytest.mark.parametrize("step", [1, 7, 512, 1 << 16])
def test_reads_what_tar_writes(format_: int, mode: str, step: int) -> None:
    files = {**archives.FILES, "a/b/data.bin": bytes(range(256)) * 5, "empty": b""}
    data = archives.package(files, "digits", mode=mode, format=format_)
    if step == 1:
        data = archives.package(archives.FILES, "digits", mode=mode, format=format_)
        files = dict(archives.FILES)
    expected = {f"digits/{name}": content for name, content in files.items()}
    assert read(data, step=step) == {"digits/": b"", **expected}


@pytest.mark.parametrize("format_", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names(format_: int) -> None:
    name = "/".join(["ordner-mit-einem-längeren-namen"] * 5) + "/ключ.txt"
    data = archives.package({name: b"x"}, "", mode="w:", format=format_)
    assert read(data) == {name: b"x"}


def test_ustar_prefix_is_joined_but_gnu_has_none() -> None:
    posix = archives.member(b"kernel.py", b"x", prefix=b"some/folder") + archives.END
    assert read(posix) == {"some/folder/kernel.py": b"x"}
    gnu = archives.member(b"kernel.py", b"x", prefix=b"\1junk", magic=b"ustar  \0") + archives.END
    assert read(gnu) == {"kernel.py": b"x"}


def test_skips_contents_that_nobody_reads() -> None:
    data = archives.member(b"big", b"x" * 5000) + archives.member(b"small", b"y") + archives.END
    reader = TarReader(iter([data]), LIMITS)
    assert [entry.parts for entry in reader.entries()] == [("big",), ("small",)]


def test_tolerates_global_headers_and_padding() -> None:
    data = archives.pax({b"comment": b"0123abc"}, b"g") + archives.valid() + bytes(10240)
    assert set(read(data)) == set(archives.FILES)


def test_only_the_owners_execute_bit_is_kept() -> None:
    data = (
        archives.member(b"run.sh", b"", mode=b"0004755\0", mtime=b"77777777777\0")
        + archives.member(b"odd", b"", mode=b"\xff" * 8, mtime=b"\xff" * 12)
        + archives.END
    )
    reader = TarReader(iter([data]), LIMITS)
    assert [entry.executable for entry in reader.entries()] == [True, False]


BASE256 = b"\x80" + (0).to_bytes(10, "big") + b"\x01"


@pytest.mark.parametrize(("code", "data"), [(bad.code, bad.data) for bad in HOSTILE if bad.pure])
def test_refuses(code: str, data: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(data)
    assert caught.value.code == code
    assert caught.value.http_status == (
        413 if code in ("expands_too_large", "too_many_entries") else 400
    )
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    "data",
    [
        b"PK\3\4" + bytes(600),
        b"PK\5\6" + bytes(18),
        b"\xfd7zXZ\0" + bytes(600),
        b"\x28\xb5\x2f\xfd" + bytes(600),
        b"BZh9" + bytes(600),
        b"7z\xbc\xaf\x27\x1c",
    ],
)
def test_other_formats_are_unsupported(data: bytes) -> None:
    with pytest.raises(UnsupportedMedia):
        read(data)


def test_base_256_sizes_are_read() -> None:
    data = archives.header(b"a", size=BASE256) + archives.padded(b"x") + archives.END
    assert read(data) == {"a": b"x"}


@pytest.mark.parametrize("kind", [b"0", b"g", b"x"])
def test_entries_are_capped(kind: bytes) -> None:
    flood = b"".join(archives.header(b"f%d" % n, kind=kind) for n in range(11))
    with pytest.raises(InvalidInput) as caught:
        read(flood + archives.END, ArchiveLimits(entries=10))
    assert caught.value.code == "too_many_entries"


def test_all_metadata_together_are_capped() -> None:
    flood = archives.pax({b"comment": b"x" * 900}, b"g") * 12 + archives.valid() + archives.END
    with pytest.raises(InvalidInput) as caught:
        read(flood, ArchiveLimits(records=10_000))
    assert caught.value.code == "metadata_too_large"


def test_files_together_are_capped() -> None:
    data = archives.member(b"a", b"x" * 600) + archives.member(b"b", b"x" * 600) + archives.END
    with pytest.raises(TooLarge) as caught:
        read(data, ArchiveLimits(expanded=1000))
    assert caught.value.code == "expands_too_large"
    assert len(read(data, ArchiveLimits(expanded=1200))) == 2


def test_the_packed_size_is_capped() -> None:
    with pytest.raises(TooLarge) as caught:
        read(archives.package(), ArchiveLimits(packed=100), step=64)
    assert caught.value.code == "file_too_large"


def test_a_bomb_is_refused_by_its_ratio() -> None:
    bomb = archives.zipped(archives.member(b"zeros", bytes(4 << 20)) + archives.END)
    with pytest.raises(TooLarge) as caught:
        read(bomb, ArchiveLimits(ratio_from=1 << 20))
    assert caught.value.code == "expands_too_large"
    assert len(read(bomb)["zeros"]) == 4 << 20


@given(st.binary(max_size=2000), st.integers(1, 600))
@settings(max_examples=examples(100), deadline=None)
def test_any_bytes_give_a_refusal(data: bytes, step: int) -> None:
    with pytest.raises(EdiError):
        read(data, step=step)


@given(st.binary(min_size=512, max_size=512), st.sampled_from([b"ustar\x0000", b"ustar  \0"]))
@settings(max_examples=examples(100), deadline=None)
def test_any_header_fields_give_entries_or_a_refusal(raw: bytes, magic: bytes) -> None:
    raw = raw[:148] + b" " * 8 + raw[156:257] + magic + raw[265:]
    raw = raw[:148] + b"%06o\0 " % sum(raw) + raw[156:]
    try:
        for path in read(raw + archives.END):
            assert not path.startswith("/")
            assert ".." not in path.split("/")
    except InvalidInput:
        pass


@given(st.text(max_size=40))
@settings(max_examples=examples(200))
def test_split_path_stays_inside(text: str) -> None:
    try:
        parts = split_path(text.encode("utf-8", "surrogatepass"), LIMITS)
    except InvalidInput as error:
        assert error.code in ("unsafe_path", "invalid_path")
    else:
        assert all(part not in ("", ".", "..") and "/" not in part for part in parts)


@pytest.mark.parametrize(
    "paths",
    [
        ["a", "a"],
        ["a/", "a/"],
        ["a", "A"],
        ["A/x", "a/y"],
        ["é", "e\u0301"],
        ["ß", "SS"],
        ["a", "a/"],
        ["a/", "a"],
        ["a", "a/b"],
        ["a/b", "a"],
    ],
)
def test_names_that_meet(paths: list[str]) -> None:
    names = Names(LIMITS)
    with pytest.raises(InvalidInput) as caught:
        for path in paths:
            names.claim(tuple(path.strip("/").split("/")), directory=path.endswith("/"))
    assert caught.value.code == "duplicate_path"


def test_folders_may_be_named_after_what_is_in_them() -> None:
    names = Names(LIMITS)
    for parts, directory in [(("a", "b", "f"), False), (("a",), True), (("a", "b"), True)]:
        names.claim(parts, directory=directory)
    assert len(names) == 3


def test_folders_that_are_only_implied_count_as_entries() -> None:
    names = Names(ArchiveLimits(entries=10))
    with pytest.raises(TooLarge):
        names.claim(tuple("abcdefghijk"), directory=False)


def test_agrees_with_tarfile_on_a_random_package() -> None:
    files = {f"d{n % 3}/f{n}": bytes([n]) * n * 37 for n in range(60)}
    data = archives.package(files, "top")
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        theirs = {
            info.name: tar.extractfile(info).read()  # type: ignore[union-attr]
            for info in tar
            if info.isfile()
        }
    ours = {path: content for path, content in read(data).items() if not path.endswith("/")}
    assert ours == theirs
