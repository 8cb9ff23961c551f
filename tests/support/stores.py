"""Stores for tests: packages to publish, and what must hold for every store on the disk."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from edi_labext.models import SubmissionDescription
from edi_labext.serving.archive import StagedPackage
from edi_labext.serving.store import Disk, Record, Store


def staged(staging: Path, name: str = "digits", text: str = "one") -> StagedPackage:
    """A package as the archive room hands it over; every file holds ``text``."""
    holder = staging / f"{name}-{text}"
    directory = holder / "package"
    (directory / "sub").mkdir(parents=True)
    disk = Disk()
    for path in ("kernel.py", "model.json", "README.md", "sub/w.bin"):
        disk.write_file(directory / path, text.encode())
    disk.sync_directory(directory / "sub")
    disk.sync_directory(directory)
    return StagedPackage(
        directory=directory,
        submission=SubmissionDescription(name=name, kernel_path="kernel.py", tag=text),
        readme=text,
        size=4 * len(text),
        files=4,
        digest="00",
        holder=holder,
    )


def facts(store: Store) -> dict[str, tuple[object, ...]]:
    """All that a store says, comparable."""
    return {record.name: record_facts(record) for record in store.all()}


def record_facts(record: Record) -> tuple[object, ...]:
    return (
        record.description.model_dump_json(),
        record.profile.model_dump_json(),
        record.readme,
        record.desired,
        record.generation,
        record.directory,
    )


def check_whole(store: Store) -> None:
    """Every record has its own complete files and manifest, and nothing else lies around."""
    root = store.directory
    expected: set[Path] = set()
    for record in store.all():
        text = record.description.tag
        assert record.readme == text
        files = {p.relative_to(record.directory).as_posix() for p in record.directory.rglob("*")}
        assert files == {"kernel.py", "model.json", "README.md", "sub", "sub/w.bin"}
        for name in files - {"sub"}:
            assert (record.directory / name).read_text() == text
        assert record.description.model_path == str(record.directory)
        manifest = record.directory.with_name(record.directory.name + ".json")
        assert manifest.read_bytes() == record.manifest()
        assert json.loads(manifest.read_text())["value"]["description"]["name"] == record.name
        expected |= {record.directory, manifest}
    assert set(root.glob("repo/*/*")) == expected
    assert {p.name for p in root.glob("repo/*")} == set(store.names())
    assert list(root.glob("staging/*")) == list(root.glob("trash/*")) == []
    check = sqlite3.connect(root / "store.db")
    assert check.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    check.close()
