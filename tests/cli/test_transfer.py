import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]


def test_from_one_installation_to_another(example: Run, nowhere: Path) -> None:
    assert example("export", "all.yaml").output == ""
    text = (nowhere / "all.yaml").read_text(encoding="utf-8")
    assert example("export").stdout == example("export", "-").stdout == text
    assert example("import", "all.yaml").stdout == "Nothing to change.\n"
    (nowhere / "all.yaml").write_text(
        text.replace("wait: 30", "wait: 20").replace("'600'", "'601'") + "- name: new\n"
    )
    expected = [
        '+ group "new": enabled yes, wait 30, advance yes, numbers none, members none',
        '~ group "sales"',
        "    wait 30 -> 20",
        "    number 600 removed",
        "    number 601 added",
    ]
    dry = example("import", "all.yaml", "--dry-run")
    assert dry.stdout.splitlines() == [
        *expected,
        "Groups: 1 added, 1 changed, 0 removed. Nothing was changed: this was --dry-run.",
    ]
    assert example("export").stdout == text
    done = example("import", "all.yaml")
    assert done.stdout.splitlines() == [*expected, "Groups: 1 added, 1 changed, 0 removed."]
    assert example("import", "all.yaml").stdout == "Nothing to change.\n"
    (nowhere / "less.yaml").write_text("version: 1\n")
    assert example("import", "less.yaml", "--keep").stdout == "Nothing to change.\n"
    assert example("import", "less.yaml").stdout.endswith("0 added, 0 changed, 2 removed.\n")


def test_csv(example: Run, nowhere: Path) -> None:
    example("export", "all.csv")
    text = (nowhere / "all.csv").read_text(encoding="utf-8")
    assert text.splitlines()[:2] == [
        '"group","description","enabled","wait","advance","numbers","user","delay",'
        '"member_enabled"',
        '"sales","An example: three telephones, one after another","true",30,"true",'
        '"600;+48587624731","test002",0,"true"',
    ]
    assert example("import", "all.csv").stdout == "Nothing to change.\n"
    (nowhere / "all.csv").rename(nowhere / "all")
    assert example("import", "--csv", "all").stdout == "Nothing to change.\n"
    assert example("import", "all").exit_code == 2
    example("export", "polish.csv", "--separator", "semicolon", "--bom")
    assert (nowhere / "polish.csv").read_text(encoding="utf-8").startswith('\ufeff"group";"descr')
    assert example("import", "polish.csv").stdout == "Nothing to change.\n"
    wrong = example("export", "all.yaml", "--separator", "semicolon")
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "Error: --separator and --bom are for CSV: give --csv as well\n",
    )


def test_a_wrong_file_is_one_line_and_changes_nothing(example: Run, nowhere: Path) -> None:
    before = example("export").stdout
    (nowhere / "a.yaml").write_text("version: 1\ngroups:\n- name: new\n- name: a\n  wait: x\n")
    result = example("import", "a.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "Error: a.yaml, line 5: wait 'x' is not a time: write seconds, for example 5 or 0.5, "
        "with at most 3 decimals\n"
    )
    missing = example("import", "none.yaml")
    assert missing.exit_code == 1
    assert len(missing.stderr.splitlines()) == 1
    assert example("export").stdout == before
    assert example("export", "nowhere/all.yaml").exit_code == 1


def test_tenants(example: Run) -> None:
    def run(*args: str) -> str:
        result = example(*args)
        assert result.exit_code == 0
        return result.stdout

    assert "DOMAIN" not in run("group", "list")
    assert "domain" not in run("export")
    run("group", "add", "sales", "--domain", "A.example")
    run("number", "add", "--domain", "a.example", "sales", "600")
    run("--domain", "a.example", "member", "add", "sales", "test002")
    assert [line.split()[:2] for line in run("group", "list").splitlines()] == [
        ["DOMAIN", "NAME"], ["sales", "enabled"], ["a.example", "sales"],
    ]  # fmt: skip
    assert len(run("group", "list", "--domain", "a.example").splitlines()) == 2
    assert "Domain:      a.example" in run("group", "show", "sales", "--domain", "a.example")
    assert json.loads(run("group", "show", "sales", "--json"))["domain"] == ""
    assert "test006" not in run("export", "--domain", "a.example")
    assert run("export", "--csv").startswith('"group","domain",')
    run("group", "remove", "sales", "--domain", "a.example")
    assert "DOMAIN" not in run("group", "list")


def test_the_audit_log_is_shown(example: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    example("group", "set", "sales", "--wait", "20")
    example("group", "remove", "sales")
    head, *lines = example("audit").stdout.splitlines()
    assert head.split() == ["WHEN", "WHO", "WHAT", "CHANGE"]
    assert [re.split(r" {2,}", line)[2:] for line in lines][1] == [
        "set group", 'group "sales": wait 30 -> 20',
    ]  # fmt: skip
    assert 'group "sales" removed: ' in lines[0]
    assert 'group "sales" added: ' in lines[2]
    [shown] = json.loads(
        example("audit", "--group", "SALES", "--since", "1h", "--limit", "1", "--json").stdout
    )
    assert (shown["action"], shown["before"]["wait"], shown["after"]) == ("remove group", 20, None)
    for args in (["--since", "soon"], ["--limit", "0"], ["--limit", "x"]):
        assert example("audit", *args).exit_code == 2
