"""Draws the figures of ``benchmarks.report``: python plots.py FIGURES.json FOLDER.

Run by the Python that has matplotlib, beside the project's own.
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "fsctl"  # the same figures, the same file
import matplotlib.pyplot as plt  # noqa: E402


def bars(path: Path, title: str, values: dict[str, float], unit: str) -> None:
    """Draw one bar for each name."""
    figure, axes = plt.subplots(figsize=(7, 0.6 + 0.5 * len(values)), layout="constrained")
    drawn = axes.barh(list(values), list(values.values()), color="#3465a4")
    axes.bar_label(drawn, fmt="%.3g", padding=3)
    axes.invert_yaxis()
    axes.set_title(title)
    axes.set_xlabel(unit)
    axes.margins(x=0.12)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """Draw all."""
    figures = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(sys.argv[2])
    rates, delays = figures["rates"], figures["delays"]
    per_core = {name: found["per_core"] for name, found in rates.items()}
    bars(folder / "per-core.svg", "Hunted calls a second of one core", per_core, "calls/s")
    first = {f"{at_once} at once": found["first_leg"][0] for at_once, found in delays.items()}
    title = "From the connection to the first leg's order"
    bars(folder / "first-leg.svg", title, first, "ms, median")


if __name__ == "__main__":
    main()
