"""LibreOffice, which opens a CSV file as it would for somebody with Polish or English settings."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

PROGRAM = shutil.which("soffice")
SETTINGS = {"pl": (1045, "pl_PL.UTF-8"), "en": (1033, "en_US.UTF-8")}
needs_libreoffice = pytest.mark.skipif(PROGRAM is None, reason="LibreOffice is not on this machine")


def saved(text: str, settings: str, separator: str) -> str:
    """Open a CSV file with this separator, save it as CSV, and return what is in it then."""
    number, _ = SETTINGS[settings]
    form = f"csv:Text - txt - csv (StarCalc):{ord(separator)},34,76,1,,{number},false,true,false"
    return _converted(text, settings, separator, form)


def formulas(text: str, settings: str, separator: str) -> list[str]:
    """Return the formulas that LibreOffice finds in a CSV file."""
    sheet = _converted(text, settings, separator, "fods")
    return [part.partition('"')[0] for part in sheet.split('table:formula="')[1:]]


def _converted(text: str, settings: str, separator: str, form: str) -> str:
    number, locale = SETTINGS[settings]
    with tempfile.TemporaryDirectory(prefix="fsctl-libreoffice-") as place:
        home = Path(place)
        (home / "in.csv").write_text(text, encoding="utf-8", newline="")
        # 76 is UTF-8; "true" is "detect special numbers", as in the dialog of an import.
        how = f"--infilter=CSV:{ord(separator)},34,76,1,,{number},false,true,false,false"
        command = [
            PROGRAM or "", f"-env:UserInstallation=file://{home}/profile", "--headless",
            how, "--convert-to", form, "--outdir", f"{home}/out", f"{home}/in.csv",
        ]  # fmt: skip
        env = {**os.environ, "LC_ALL": locale, "HOME": place}
        subprocess.run(command, check=True, env=env, capture_output=True, timeout=60)
        [made] = (home / "out").iterdir()
        return made.read_text(encoding="utf-8-sig")
