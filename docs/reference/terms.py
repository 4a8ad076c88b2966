"""Every setting of a group and of a member."""

from docs.reference import markdown
from docs.reference.markdown import code, definitions, plain
from fsctl.admin.terms import GROUP_TERMS, MEMBER_TERMS, Term, Terms

INTRODUCTION = """\
What can be set of a group (`fsctl group add`, `fsctl group set`) and of a member (`fsctl member
add`, `fsctl member set`). Files of `fsctl export`, and the panel's interface for programs,
have them under the same names. What comes of them is told in [Groups](../groups.md).
"""


def told(term: Term) -> str:
    """Return what is to be said of one setting."""
    default = term.show(term.default)
    said = f"The default is {code(default)}." if default else "The default is empty."
    flag = "--" + term.name.replace("_", "-")
    if not term.command:
        return f"{plain(term.help)} {said}"
    if isinstance(term.default, bool):
        return f"{plain(term.help)} {said} Options {code(flag)} and {code('--no-' + flag[2:])}."
    return f"{plain(term.help)} {said} Option {code(flag)}."


def section(title: str, terms: Terms) -> str:
    """Return the settings of one kind of thing."""
    return f"## {title}\n\n" + definitions((code(name), told(term)) for name, term in terms.items())


def page() -> str:
    """Return the page of all settings of groups and members."""
    return markdown.page(
        "Settings of groups and members",
        INTRODUCTION,
        section("Of a group", GROUP_TERMS),
        section("Of a member", MEMBER_TERMS),
    )
