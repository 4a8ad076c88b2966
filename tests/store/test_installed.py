"""The migrations are found however fsctl was installed: from a wheel, an sdist, or in place."""

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from fsctl.store.tables import SCHEMA

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("installed")  # which share what they have built
FIND = "from fsctl.store import migrate; print(migrate.script_location()); print(migrate.head())"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
OFFLINE = ["--no-deps", "--no-index", "--no-build-isolation"]


def run(*command: object, cwd: Path) -> str:
    result = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a build takes from the checkout."""
    place = tmp_path_factory.mktemp("source")
    for name in ("fsctl", "migrations"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, place)
    return place


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is released, made once: only who makes it out of something else makes another."""
    return build_wheel(source, tmp_path_factory.mktemp("wheel"))


def build_wheel(source: Path, place: Path) -> Path:
    run(*PIP, "wheel", *OFFLINE, "--wheel-dir", place, source, cwd=place)
    [wheel] = place.glob("fsctl-*.whl")
    return wheel


def build_sdist(source: Path, place: Path) -> Path:
    code = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    run(sys.executable, "-c", code, place, cwd=source)
    [sdist] = place.glob("fsctl-*.tar.gz")
    return sdist


@pytest.mark.parametrize("form", ["wheel", "sdist", "editable"])
def test_the_migrations_are_found(
    request: pytest.FixtureRequest, source: Path, tmp_path: Path, form: str
) -> None:
    home = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=tmp_path)
    [site] = home.glob("lib/python*/site-packages")
    # What fsctl needs is taken from here: nothing is fetched.
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    if form == "editable":
        what: list[object] = ["--editable", source]
    elif form == "wheel":
        what = [request.getfixturevalue("wheel")]
    else:
        what = [build_wheel(build_sdist(source, tmp_path), tmp_path)]
    pip = [*PIP, "--python", home / "bin" / "python", "install", "--no-compile", *OFFLINE]
    run(*pip, *what, cwd=tmp_path)
    location, head = run(home / "bin" / "python", "-c", FIND, cwd=tmp_path).splitlines()
    expected = source / "migrations" if form == "editable" else site / "fsctl" / "migrations"
    assert (Path(location), head) == (expected, SCHEMA)
    url = f"sqlite:///{tmp_path}/fsctl.db"
    done = run(home / "bin" / "fsctl", "--database-url", url, "db", "upgrade", cwd=tmp_path)
    assert "is up to date; applied: 0001" in done


def test_a_wheel_has_every_module(source: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.endswith(".py")}
    modules = {str(path.relative_to(source)) for path in (source / "fsctl").rglob("*.py")}
    migrations = {f"fsctl/{path.relative_to(source)}" for path in source.glob("migrations/**/*.py")}
    assert names == modules | migrations


def test_a_wheel_has_what_the_panel_shows(source: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    shown = {
        str(path.relative_to(source))
        for folder in ("templates", "static", "catalogs")
        for path in (source / "fsctl" / "web" / folder).rglob("*")
        if path.is_file()
    }
    assert {"fsctl/web/static/panel.css", "fsctl/web/templates/base.html"} < shown
    assert shown <= names
