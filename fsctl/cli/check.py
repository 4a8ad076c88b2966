"""``fsctl check``: is everything as it should be, and what to do where it is not."""

import click

from fsctl.cli.context import Context, json_option, pass_context, settings_options
from fsctl.cli.output import write_json
from fsctl.doctor.finding import Finding, State, fault
from fsctl.doctor.walk import examine
from fsctl.settings_reading import SettingsError

_SIGNS = {State.OK: "ok", State.WARNING: "warning", State.FAULT: "FAULT"}


@click.command("check")
@json_option
@settings_options("listen", "allow", "spool", "esl_url", "metrics_listen", "dialplan_listen")
@pass_context
def check(context: Context, as_json: bool) -> int:
    """Look at settings, files, database, controller and switch; say what to do about each fault.

    Changes nothing and rings nobody. With the setting esl_url the switch is asked too: its version,
    modules and clock, whether every member exists and is registered, and whether its dialplan hands
    every number to us. Exit code 0: no fault; 1: at least one. A warning is no fault.
    """
    found: list[Finding] = []
    try:
        loaded = context.loaded
    except SettingsError as error:
        what, _, advice = str(error).partition(": ")
        found.append(fault("settings", what, advice or "see: fsctl config"))
        if not as_json:
            _tell(found[0])
    else:
        for finding in examine(loaded):
            found.append(finding)
            if not as_json:
                _tell(finding)
    faults = sum(one.state is State.FAULT for one in found)
    if as_json:
        write_json(_document(found))
    else:
        click.echo(f"\n{_sum(faults)}")
    return 1 if faults else 0


def _tell(finding: Finding) -> None:
    click.echo(f"{_SIGNS[finding.state]:<8} {finding.part}: {finding.what}")
    if finding.do:
        click.echo(f"         -> {finding.do}")


def _sum(faults: int) -> str:
    if not faults:
        return "No fault was found."
    return "1 fault was found." if faults == 1 else f"{faults} faults were found."


def _document(found: list[Finding]) -> dict[str, object]:
    return {
        "ok": not any(one.state is State.FAULT for one in found),
        "findings": [
            {"part": one.part, "state": one.state, "what": one.what, "do": one.do} for one in found
        ],
    }
