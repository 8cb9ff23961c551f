"""Archives that must be refused, each with the answer that it gets.

Rows are those of the table of bad inputs (``reliability-security.md`` section 5).
"""

from __future__ import annotations

from dataclasses import dataclass

from . import archives

LONG = archives.member(b"././@LongLink", b"a-long-name\0", kind=b"L")


@dataclass(frozen=True)
class Hostile:
    """One archive: ``pure`` if the reader alone, which looks at one entry at a time, refuses it."""

    row: int
    code: str
    data: bytes
    status: int = 400
    pure: bool = True


_BY_THE_READER: dict[int, list[tuple[str, bytes]]] = {
    57: [
        ("not_an_archive", b""),
        ("not_an_archive", b"\x89PNG and more"),
        ("not_an_archive", archives.zipped(b"")),
        ("not_an_archive", archives.zipped(b"hello")),
        ("not_an_archive", archives.zipped(b"x" * 5000)),
        ("not_an_archive", archives.zipped(b"PK\3\4" + bytes(5000))),
    ],
    58: [
        ("corrupt_archive", archives.valid()),
        ("corrupt_archive", archives.valid()[:-10]),
        ("corrupt_archive", archives.valid() + b"\0" * 511),
        ("corrupt_archive", archives.valid() + b"x" * 512 + archives.END),
        ("corrupt_archive", archives.package()[:-1]),
        ("corrupt_archive", archives.package()[:-9]),
        ("corrupt_archive", archives.package()[:100]),
        ("corrupt_archive", archives.package()[:3]),
        ("corrupt_archive", archives.package()[:-8] + b"\0\0\0\0" + archives.package()[-4:]),
        ("corrupt_archive", archives.package()[:-4] + b"\1\1\1\1"),
        ("corrupt_archive", archives.with_entry(archives.header(b"a", checksum=b"000000\0 "))),
    ],
    60: [
        ("trailing_data", archives.package() + b"\0"),
        ("trailing_data", archives.package() + archives.package()),
        ("trailing_data", archives.valid() + archives.END + archives.valid() + archives.END),
        ("trailing_data", archives.zipped(archives.valid() + archives.END + b"\0" * 600 + b"x")),
        ("trailing_data", archives.valid() + bytes(3 << 20)),
        ("empty_archive", archives.END),
        ("empty_archive", archives.zipped(bytes(1 << 20))),
    ],
    61: [
        ("unsafe_path", archives.with_entry(archives.member(b"../x"))),
        ("unsafe_path", archives.with_entry(archives.member(b"a/../../x"))),
        ("unsafe_path", archives.with_entry(archives.member(b"/abs"))),
        ("unsafe_path", archives.with_entry(archives.member(b"C:\\x"))),
        ("unsafe_path", archives.with_entry(archives.member(b"C:x"))),
        ("unsafe_path", archives.with_entry(archives.member(b"\\\\srv\\x"))),
        ("unsafe_path", archives.with_entry(archives.member(b"a\\..\\b"))),
        ("unsafe_path", archives.with_entry(archives.member(b"..", kind=b"5"))),
        ("unsafe_path", archives.with_entry(archives.pax({b"path": b"../x"}), archives.header())),
    ],
    62: [
        ("links_not_allowed", archives.with_entry(archives.header(b"l", kind=b"2", link=b"x"))),
        ("links_not_allowed", archives.with_entry(archives.header(b"l", kind=b"2", link=b"/etc"))),
        ("links_not_allowed", archives.with_entry(archives.header(b"l", kind=b"1", link=b"x"))),
        (
            "links_not_allowed",
            archives.with_entry(
                archives.member(b"././@LongLink", b"t" * 200, kind=b"K"),
                archives.header(b"l", kind=b"2"),
            ),
        ),
    ],
    63: [
        ("unsupported_entry", archives.with_entry(archives.header(b"f", kind=b"6"))),
        ("unsupported_entry", archives.with_entry(archives.header(b"c", kind=b"3"))),
        ("unsupported_entry", archives.with_entry(archives.header(b"b", kind=b"4"))),
        ("unsupported_entry", archives.with_entry(archives.header(b"s", kind=b"S"))),
        ("unsupported_entry", archives.with_entry(archives.header(b"v", kind=b"V"))),
        ("unsupported_entry", archives.with_entry(archives.header(b"?", kind=b"?"))),
        (
            "unsupported_entry",
            archives.with_entry(archives.pax({b"GNU.sparse.major": b"1"}), archives.header(b"s")),
        ),
    ],
    65: [
        ("invalid_path", archives.with_entry(archives.member(b""))),
        ("invalid_path", archives.with_entry(archives.member(b"file/"))),
        ("invalid_path", archives.with_entry(archives.member(b"."))),
        ("invalid_path", archives.with_entry(archives.member(b"a\nb"))),
        ("invalid_path", archives.with_entry(archives.member(b"a\x7f"))),
        ("invalid_path", archives.with_entry(archives.member("a\u2028b".encode()))),
        ("invalid_path", archives.with_entry(archives.member(b"caf\xe9"))),
        ("invalid_path", archives.with_entry(archives.member(b"d/" * 33 + b"f"))),
        (
            "invalid_path",
            archives.with_entry(archives.pax({b"path": b"n" * 256}), archives.header()),
        ),
        (
            "invalid_path",
            archives.with_entry(archives.pax({b"path": b"nn/" * 400 + b"f"}), archives.header()),
        ),
        ("invalid_path", archives.with_entry(archives.pax({b"path": b"a\0b"}), archives.header())),
    ],
    67: [
        ("expands_too_large", archives.with_entry(archives.header(b"big", size=(8 << 30) - 1))),
        (
            "expands_too_large",
            archives.with_entry(archives.header(b"b", size=b"\x80" + b"\x7f" * 11)),
        ),
        (
            "expands_too_large",
            archives.with_entry(archives.pax({b"size": b"99999999999"}), archives.header(b"b")),
        ),
    ],
    69: [
        (
            "metadata_too_large",
            archives.header(b"P", kind=b"x", size=(64 << 10) + 1) + bytes(1024),
        ),
        (
            "metadata_too_large",
            archives.header(b"L", kind=b"L", size=b"\x80" + b"\x7f" * 11) + bytes(1024),
        ),
    ],
    70: [
        ("invalid_size", archives.with_entry(archives.header(b"n", size=b"-0000000001\0"))),
        ("invalid_size", archives.with_entry(archives.header(b"n", size=b"\xff" * 12))),
        ("invalid_size", archives.with_entry(archives.header(b"n", size=b"00000000009\0"))),
        ("invalid_size", archives.with_entry(archives.header(b"n", size=bytes(12)))),
        ("invalid_size", archives.with_entry(archives.header(b"d", kind=b"5", size=512))),
        (
            "invalid_size",
            archives.with_entry(archives.pax({b"size": b"1"}), archives.member(b"n", b"xy")),
        ),
        ("invalid_size", archives.with_entry(archives.pax({b"size": b"-1"}), archives.header())),
    ],
    # Names given twice, and headers without their entry.
    0: [
        ("corrupt_archive", archives.with_entry(LONG, LONG, archives.header())),
        (
            "corrupt_archive",
            archives.with_entry(LONG, archives.pax({b"path": b"x"}), archives.header()),
        ),
        ("corrupt_archive", archives.with_entry(LONG)),
        ("corrupt_archive", archives.pax({b"path": b"x"}, b"g") + archives.valid() + archives.END),
        *(
            ("corrupt_archive", archives.with_entry(archives.member(b"P", body, kind=b"x")))
            for body in (
                b"x",
                b"99 path=x\n",
                b"0 path=x\n",
                b"10 path=x\n",
                b"9 path=x ",
                b"-9 path=x\n",
                b"5 ab\n",
                b"8 =abcd\n",
                b"9" * 5000,
                b"9 path=x\n9 path=y\n",
            )
        ),
    ],
}


def _realpath_overflow() -> bytes:
    """Long folder names and a chain of links through them, until realpath gives up.

    The published way out of tarfile's filters (``reliability-security.md`` finding 4).
    """
    raw, path, folder = b"", b"", b"d" * 55
    for step in b"abcdefghijklmnop":
        raw += archives.member(path + folder, kind=b"5")
        raw += archives.header(path + bytes([step]), kind=b"2", link=folder)
        path += bytes([step]) + b"/"
        if len(path) + len(folder) > 99:
            break
    raw += archives.header(path + b"l" * 20, kind=b"2", link=b"../" * 16)
    raw += archives.header(b"escape", kind=b"2", link=path + b"l" * 20 + b"/../sentinel")
    return archives.with_entry(raw, archives.member(b"escape", b"changed"))


REALPATH_OVERFLOW = _realpath_overflow()

_BY_THE_EXTRACTOR: dict[int, list[tuple[str, bytes]]] = {
    1: [
        ("missing_file", archives.package({"kernel.py": b"", "README.md": b""})),
        ("missing_file", archives.package({"model.json": archives.MODEL, "kernel.py": b""})),
        ("kernel_not_found", archives.package({"model.json": archives.MODEL, "README.md": b""})),
    ],
    61: [("unsafe_path", archives.with_entry(archives.member(b"../sentinel", b"changed")))],
    62: [
        ("links_not_allowed", archives.with_entry(archives.header(b"out", kind=b"2", link=b".."))),
        (
            "links_not_allowed",
            archives.with_entry(
                archives.header(b"out", kind=b"2", link=b"/"), archives.member(b"out/x", b"y")
            ),
        ),
        (
            "links_not_allowed",
            archives.with_entry(archives.header(b"h", kind=b"1", link=b"../../sentinel")),
        ),
        (
            "links_not_allowed",
            archives.with_entry(
                archives.header(b"loop", kind=b"2", link=b"pool"),
                archives.header(b"pool", kind=b"2", link=b"loop"),
            ),
        ),
    ],
    64: [
        ("duplicate_path", archives.with_entry(archives.member(b"kernel.py"))),
        ("duplicate_path", archives.with_entry(archives.member(b"KERNEL.py"))),
        ("duplicate_path", archives.with_entry(archives.member(b"kernel.py/x"))),
        ("duplicate_path", archives.with_entry(archives.member(b"kernel.py", kind=b"5"))),
        (
            "duplicate_path",
            archives.with_entry(archives.member("é".encode()), archives.member("e\u0301".encode())),
        ),
    ],
    71: [("links_not_allowed", REALPATH_OVERFLOW)],
}

_OTHER_FORMATS = [
    b"PK\3\4" + bytes(600),
    b"PK\5\6" + bytes(18),
    b"\xfd7zXZ\0" + bytes(600),
    b"\x28\xb5\x2f\xfd" + bytes(600),
    b"BZh9" + bytes(600),
    b"7z\xbc\xaf\x27\x1c",
]

HOSTILE: list[Hostile] = [
    *(
        Hostile(row or 58, code, data, 413 if code == "expands_too_large" else 400)
        for row, bad in _BY_THE_READER.items()
        for code, data in bad
    ),
    *(
        Hostile(row, code, data, pure=False)
        for row, bad in _BY_THE_EXTRACTOR.items()
        for code, data in bad
    ),
    *(Hostile(59, "unsupported_media_type", data, 415, pure=False) for data in _OTHER_FORMATS),
]
