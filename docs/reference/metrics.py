"""Every metric, as a controller declares it to prometheus_client, where this fsctl has metrics."""

import importlib
from importlib.util import find_spec

from docs.reference import markdown
from docs.reference.markdown import code, plain

MODULE = "fsctl.controller.metrics"


def every() -> list[tuple[str, str, tuple[str, ...], str]]:
    """Return the name, type, labels and description of every metric of ours, by name."""
    if find_spec(MODULE) is None:
        return []
    # A private name: programs read metrics over HTTP, and only this page asks for what they are.
    registry = importlib.import_module(MODULE).Meter()._registry
    found = []
    for collector in list(registry._collector_to_names):
        labels = tuple(getattr(collector, "_labelnames", ()))
        for family in collector.collect():
            if family.name.startswith("fsctl_"):
                found.append((family.name, family.type, labels, family.documentation))
    return sorted(found)


def page() -> str:
    """Return the page of all metrics."""
    rows = [
        (code(name), kind, ", ".join(map(code, labels)), plain(said))
        for name, kind, labels, said in every()
    ]
    if not rows:
        return markdown.page("Metrics", "This fsctl has no metrics.")
    return markdown.page("Metrics", markdown.table(("metric", "type", "labels", "meaning"), rows))
