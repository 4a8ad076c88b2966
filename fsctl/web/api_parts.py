"""Parts of groups for programs: settings, members, numbers; a call played; import and export."""

from typing import Any

from flask import Blueprint, Response, abort, request

from fsctl.admin import groups as admin
from fsctl.admin import members, numbers, whole
from fsctl.admin.configuration import decode
from fsctl.admin.errors import Refused, WrongValue
from fsctl.admin.import_advice import warnings_of
from fsctl.admin.rehearsal import played_document, rehearse
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS, moment_of
from fsctl.admin.transfer import import_groups, plan_import
from fsctl.admin.values import parse_seconds
from fsctl.hunt.course import member_named
from fsctl.hunt.group import Group, Member
from fsctl.hunt.simulation import Phones
from fsctl.web.api_answers import (
    answer,
    body,
    done,
    given,
    group_answer,
    seen,
    text,
    texts,
    whole_group,
)
from fsctl.web.downloads import for_programs
from fsctl.web.panel import domain, engine, id_of, panel, visible_group
from fsctl.web.telephones import picture_of
from fsctl.web.transfer import as_file, kind_of, lines_of, read_file

pages = Blueprint("parts", __name__)

LARGEST_SEED = 2**63 - 1


@pages.patch("/groups/<int:group_id>")
def set_group(group_id: int) -> Response:
    """Change what is given of a group."""
    group = visible_group(group_id)
    sent = body()
    new_name = text(sent, "name") if "name" in sent else None
    change = admin.set_group(
        engine(),
        group.name,
        new_name=new_name,
        domain=group.domain,
        seen=seen(),
        **given(sent, GROUP_TERMS, "name"),
    )
    return whole_group(group_id, change.group)


@pages.post("/groups/<int:group_id>/copy")
def copy_group(group_id: int) -> Response:
    """Add a group like this one, under another name and without its numbers."""
    group = visible_group(group_id)
    made = whole.copy_group(engine(), group.name, text(body(), "name"), domain=group.domain).group
    return answer(group_answer(id_of(made), made), 201)


@pages.post("/groups/<int:group_id>/holidays")
def close_on_holidays(group_id: int) -> Response:
    """Close a group on the public holidays of a year, in a country or in that of the settings."""
    from fsctl.admin.holidays import close_on_holidays as close  # noqa: PLC0415 - a large library

    group = visible_group(group_id)
    sent = body()
    year, country = sent.get("year"), text(sent, "country", panel().settings.region)
    if not isinstance(year, int) or isinstance(year, bool):
        raise WrongValue("year is a whole number")
    change = close(engine(), group.name, year, country, domain=group.domain)
    return answer({**group_answer(group_id, change.group), "warnings": change.warnings})


@pages.post("/groups/<int:group_id>/members")
def add_member(group_id: int) -> Response:
    """Add a member behind the others."""
    group = visible_group(group_id)
    sent = body()
    settings = given(sent, MEMBER_TERMS, "user")
    change = members.add_member(
        engine(), group.name, text(sent, "user"), domain=group.domain, **settings
    )
    return answer(group_answer(group_id, change.group), 201)


@pages.patch("/groups/<int:group_id>/members/<text:user>")
def set_member(group_id: int, user: str) -> Response:
    """Change what is given of a member."""
    group = visible_group(group_id)
    settings = given(body(), MEMBER_TERMS)
    change = members.set_member(
        engine(), group.name, _member(group, user).user, domain=group.domain, **settings
    )
    return answer(group_answer(group_id, change.group))


@pages.delete("/groups/<int:group_id>/members/<text:user>")
def remove_member(group_id: int, user: str) -> Response:
    """Take a member from a group."""
    group = visible_group(group_id)
    members.remove_member(engine(), group.name, _member(group, user).user, domain=group.domain)
    return done()


@pages.post("/groups/<int:group_id>/numbers")
def add_numbers(group_id: int) -> Response:
    """Let numbers call a group."""
    group = visible_group(group_id)
    change = numbers.add_numbers(
        engine(),
        group.name,
        texts(body(), "numbers"),
        panel().settings.region,
        domain=group.domain,
    )
    return answer(group_answer(group_id, change.group), 201)


@pages.delete("/groups/<int:group_id>/numbers/<text:number>")
def remove_number(group_id: int, number: str) -> Response:
    """Take a number from a group."""
    group = visible_group(group_id)
    region = panel().settings.region
    numbers.remove_numbers(engine(), group.name, [number], region, domain=group.domain)
    return done()


def _member(group: Group, user: str) -> Member:
    found = next((one for one in group.members if one.user.casefold() == user.casefold()), None)
    return found or abort(404)


# A call played


@pages.post("/groups/<int:group_id>/simulation")
def play(group_id: int) -> Response:
    """Tell how a call would go whose telephones behave as a document says."""
    group = admin.whole(panel().engine, visible_group(group_id))
    sent = body()
    phones = _phones(group, sent)
    caller = text(sent, "from") if sent.get("from") is not None else None
    seed = sent.get("seed", 0)
    if not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise WrongValue(f"seed is 0 to {LARGEST_SEED}")
    now = moment_of(group, text(sent, "at")) if sent.get("at") is not None else panel().now()
    external = bool(panel().settings.external_dial)
    course = rehearse(
        panel().engine, group, phones, caller=caller, seed=seed, now=now, external=external
    )
    return answer(played_document(course))


def _phones(group: Group, sent: dict[str, Any]) -> Phones:
    gives_up = sent.get("hang_up")
    return Phones.script(
        _seconds_by_user(group, sent, "answers"),
        tuple(_known(group, user) for user in texts(sent, "busy")),
        tuple(_known(group, user) for user in texts(sent, "offline")),
        None if gives_up is None else parse_seconds(str(gives_up)),
        _seconds_by_user(group, sent, "busy_until"),
    )


def _seconds_by_user(group: Group, sent: dict[str, Any], name: str) -> dict[str, float]:
    given = sent.get(name, {})
    if not isinstance(given, dict):
        raise WrongValue(f"{name} has seconds by user")
    return {_known(group, user): parse_seconds(str(when)) for user, when in given.items()}


def _known(group: Group, user: str) -> str:
    """Return a member as the group has it: a misspelt name must not pass for silence."""
    member = member_named(group, user)
    if member is not None:
        return member
    raise Refused(f"{user} is not a member of {group.name}")


# Everything at once


@pages.get("/export.<any(yaml, csv):form>")
def export(form: str) -> Response:
    """Return every group that the token's user may see, as a file."""
    return as_file(form, for_programs())


@pages.post("/import")
def import_() -> Response:
    """Make the groups be those of a file; with ``dry`` only tell what that would change."""
    keep, dry = (request.args.get(name, "0") == "1" for name in ("keep", "dry"))
    content = decode(request.get_data())
    if not content.strip():
        raise WrongValue("the file is empty")
    run = plan_import if dry else import_groups
    plan = run(engine(), read_file(content), domain=domain(), keep=keep)
    changes = []
    for step in plan:
        group = step.after or step.before
        assert group is not None  # noqa: S101 - a step has one of them
        told = {"name": group.name, "domain": group.domain, "change": kind_of(step)}
        changes.append({**told, "lines": lines_of(step)})
    return answer({"changes": changes, "warnings": warnings_of(plan), "done": not dry})


@pages.get("/telephones")
def telephones() -> Response:
    """List the users of the switches, with what is known of them."""
    picture = picture_of(domain())
    users = picture.users_of(domain()) if picture else []
    return answer(
        {
            "users": [
                {
                    "user": one.user.name,
                    "domain": one.user.domain,
                    "caller_name": one.caller_name,
                    "state": one.state.value,
                }
                for one in users
            ],
            "silent": [one.address for one in picture.silent] if picture else [],
        }
    )
