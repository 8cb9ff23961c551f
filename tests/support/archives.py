"""Archives for tests: good ones by tarfile, hostile ones field by field."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping

MODEL = b'{"name": "digits", "kernel_path": "kernel.py", "runtime": "python"}'
FILES: dict[str, bytes] = {
    "model.json": MODEL,
    "README.md": b"# Digits\n",
    "kernel.py": b"print('hello')\n",
}
BLOCK = 512
END = bytes(2 * BLOCK)


def field(text: bytes, width: int) -> bytes:
    return text.ljust(width, b"\0")


def header(
    name: bytes = b"kernel.py",
    *,
    kind: bytes = b"0",
    size: int | bytes = 0,
    mode: bytes = b"0000644\0",
    mtime: bytes = b"00000000000\0",
    magic: bytes = b"ustar\x0000",
    prefix: bytes = b"",
    link: bytes = b"",
    checksum: bytes | None = None,
) -> bytes:
    """One 512-byte header with exactly these fields and a right checksum."""
    raw = b"".join(
        (
            field(name, 100),
            mode,
            b"0000000\0",
            b"0000000\0",
            size if isinstance(size, bytes) else b"%011o\0" % size,
            mtime,
            b" " * 8,
            kind,
            field(link, 100),
            magic,
            field(b"root", 32),
            field(b"root", 32),
            b"0000000\0",
            b"0000000\0",
            field(prefix, 155),
        )
    )
    raw = raw.ljust(BLOCK, b"\0")
    checksum = checksum if checksum is not None else b"%06o\0 " % sum(raw)
    return raw[:148] + checksum + raw[156:]


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def member(name: bytes, data: bytes = b"", **fields: object) -> bytes:
    return header(name, size=len(data), **fields) + padded(data)  # type: ignore[arg-type]


def pax(records: Mapping[bytes, bytes], kind: bytes = b"x") -> bytes:
    body = b""
    for key, value in records.items():
        length = len(key) + len(value) + 3
        while len(str(length)) + len(key) + len(value) + 3 != length:
            length = len(str(length)) + len(key) + len(value) + 3
        body += b"%d %s=%s\n" % (length, key, value)
    return member(b"PaxHeader", body, kind=kind)


def valid(top: bytes = b"") -> bytes:
    """The members of a package that is accepted, without the end mark."""
    return b"".join(member(top + name.encode(), data) for name, data in FILES.items())


def with_entry(*raw: bytes) -> bytes:
    """A whole archive that would be accepted but for ``raw``."""
    return valid() + b"".join(raw) + END


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def package(
    files: Mapping[str, bytes] = FILES, top: str = "digits", *, mode: str = "w:gz", **options: int
) -> bytes:
    """A package as `tar` writes it: one top folder, or none if ``top`` is empty."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, **options) as tar:  # type: ignore[call-overload]
        if top:
            folder = tarfile.TarInfo(top)
            folder.type = tarfile.DIRTYPE
            tar.addfile(folder)
        for name, data in files.items():
            info = tarfile.TarInfo(f"{top}/{name}" if top else name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    packed = out.getvalue()
    # No time of day in gzip's header: names of parametrised tests are the same everywhere.
    return packed[:4] + bytes(4) + packed[8:] if mode == "w:gz" else packed
