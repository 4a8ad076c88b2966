"""What fsctl is made of: locked, told, and free to be used."""

import configparser
import json
import re
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.txt", "requirements-build.txt")
FREE = {
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "LGPL-3.0-only",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "PSF-2.0",
    "ZPL-2.1",
}
STATED = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
}
"""Classifiers of the packages that state no expression, and the licence that their files have."""


def locked(name: str = "requirements.txt") -> dict[str, str]:
    """The version of each package, by its name."""
    text = (ROOT / "packaging" / name).read_text(encoding="ascii")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ \\]+)", text, re.MULTILINE))


def asked() -> list[Requirement]:
    """What setup.cfg asks for, PostgreSQL's driver with it."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    extra = setup["options.extras_require"]["postgresql"]
    lines = (setup["options"]["install_requires"] + extra).splitlines()
    return [Requirement(line) for line in lines if line]


def told() -> dict[str, list[str]]:
    """The rows of the page, by the package: its licence, what for, what instead."""
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.*) \|$", text, re.MULTILINE)
    return {name: cells.split(" | ") for name, cells in rows}


@pytest.mark.parametrize("name", LOCKS)
def test_every_version_has_its_hashes(name: str) -> None:
    text = (ROOT / "packaging" / name).read_text(encoding="ascii")
    entries = re.split(r"\n(?=[a-z0-9-]+==)", text)[1:]
    assert len(entries) == len(locked(name)) > 0
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)


def test_what_is_locked_is_what_is_asked_for() -> None:
    versions = locked()
    for wanted in asked():
        assert wanted.name in versions, f"{wanted} is not locked; run: make lock"
        assert wanted.specifier.contains(versions[wanted.name]), f"{wanted}; run: make lock"


def test_each_is_told_with_what_it_is_for() -> None:
    assert set(told()) == set(locked())
    for wanted in asked():
        assert len(told()[wanted.name]) == 3, f"{wanted.name}: what would replace it?"
    assert all(all(cells) for cells in told().values())


@pytest.mark.parametrize("name", sorted(locked()))
def test_its_licence_is_free_and_told(name: str) -> None:
    """As the installed package states it, which may be another version than the locked one."""
    stated = metadata(name)
    licence = stated.get("License-Expression")
    if licence is None:
        found = [line.rpartition(" :: ")[2] for line in stated.get_all("Classifier") or []]
        classified = sorted(STATED[line] for line in found if line in STATED)
        licence = " OR ".join(classified) or stated["License"]
    assert set(re.findall(r"[\w.-]+", licence)) - {"AND", "OR"} <= FREE
    assert told()[name][0] == licence


# make audit

PIP_AUDIT = """#!/bin/sh
cat <<'END'
{}
END
exit {}
"""


@pytest.mark.parametrize(
    ("answer", "ends", "code", "says"),
    [
        ({"name": "click", "version": "8.1.7", "vulns": []}, 0, 0, "no known vulnerability in 1 "),
        ({"name": "click", "version": "8.1.7", "vulns": [{"id": "CVE-1"}]}, 1, 1, "has CVE-1"),
        ({"name": "click", "skip_reason": "not found on PyPI"}, 0, 1,
         "1 of 1 packages could not be looked up: click 8.1.7"),
        ({"name": "click", "version": "8.1.6", "vulns": []}, 0, 1, "could not be looked up"),
        (None, 1, 1, "1 of 1 packages could not be looked up: click 8.1.7"),
    ],
)  # fmt: skip
def test_an_audit_that_could_not_ask_fails(
    tmp_path: Path, answer: object, ends: int, code: int, says: str
) -> None:
    stub, lock = tmp_path / "pip-audit", tmp_path / "requirements.txt"
    found = json.dumps({"dependencies": [answer]}) if answer else "Traceback"
    stub.write_text(PIP_AUDIT.format(found, ends))
    stub.chmod(0o755)
    lock.write_text("click==8.1.7 \\\n    --hash=sha256:0\n")
    command = [sys.executable, str(ROOT / "packaging" / "audit"), str(stub), str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (code, "")
    assert says in done.stdout


def test_an_audit_is_of_every_lock() -> None:
    command = re.search(r"^audit:.*\n\t(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert command is not None
    assert command[1].split() == [
        "packaging/audit", "$(BIN)/pip-audit", *(f"packaging/{name}" for name in LOCKS)
    ]  # fmt: skip
