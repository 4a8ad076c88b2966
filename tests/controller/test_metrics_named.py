"""The dashboard, the alerts and the documents name the metrics that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from fsctl.controller.metrics import Meter

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "packaging/grafana-dashboard.json"
ALERTS = ROOT / "packaging/prometheus-alerts.yml"
NAME = re.compile(r"\bfsctl_\w+")


@pytest.fixture(scope="module")
def real() -> dict[str, dict[str, set[str]]]:
    """Every metric, and the values of each of its labels."""
    found: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(Meter().text().decode()):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
    return {name: labels for name, labels in found.items() if not name.endswith("_created")}


def expressions() -> Iterator[str]:
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            yield target["expr"]
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        for rule in group["rules"]:
            assert {"summary", "description"} == set(rule["annotations"])
            yield rule["expr"]


def test_every_metric_that_is_named_exists(real: dict[str, dict[str, set[str]]]) -> None:
    for expression in expressions():
        names = NAME.findall(expression)
        assert names or expression.startswith("up{"), expression
        for name in names:
            assert name in real, expression


def test_every_label_and_value_that_is_named_exists(real: dict[str, dict[str, set[str]]]) -> None:
    """But for those that Prometheus adds."""
    for expression in expressions():
        for name, inside in re.findall(r"\b(fsctl_\w+){([^}]*)}", expression):
            for label, wanted in re.findall(r'(\w+)[!=~]+"([^"]*)"', inside):
                if label != "instance":
                    assert set(wanted.split("|")) <= real[name][label], expression
    for outcome in ("answered", "cancelled", "failed"):
        assert outcome in real["fsctl_legs_total"]["outcome"]


def test_the_table_of_metrics_is_complete(real: dict[str, dict[str, set[str]]]) -> None:
    text = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(fsctl_\w+)` \|", text, re.MULTILINE)
    base = {re.sub("_(bucket|sum|count)$", "", name) for name in real}
    assert sorted(told) == sorted(base)


def test_no_label_could_tell_of_a_caller(real: dict[str, dict[str, set[str]]]) -> None:
    labels = {label for labels in real.values() for label in labels}
    assert labels == {"outcome", "kind", "reason", "code", "result", "le", "version", "python"}


@pytest.mark.skipif(not shutil.which("promtool"), reason="Prometheus is not on this machine")
def test_prometheus_takes_the_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", ALERTS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
