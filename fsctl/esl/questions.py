"""The commands by which a switch is asked what it has, each as the text behind ``api``.

As in ``commands``, every part comes through ``quoting``. None of them changes anything.
"""

from fsctl.esl.quoting import question, token

VERSION = "version short"
DOMAIN = "global_getvar domain"
CLOCK = "strepoch"
"""The switch's clock in whole epoch seconds."""
USERS = "list_users"
"""The users of the directory, one on a line, with where their telephones are."""
CHANNELS = "show channels as json"
DIALPLAN = "xml_locate dialplan"
"""The whole dialplan as it is in force; with mod_xml_curl, what that answers for no context."""


def module(name: str) -> str:
    """Ask whether a module is loaded: ``true`` or ``false``."""
    return f"module_exists {token(name)}"


def context(name: str) -> str:
    """Ask for one context of the dialplan."""
    return f"xml_locate dialplan context name {token(name)}"


def user_exists(name: str, domain: str) -> str:
    """Ask whether the directory has a user: ``true`` or ``false``."""
    return f"user_exists id {token(name)} {token(domain)}"


def dial_string(name: str, domain: str) -> str:
    """Ask by what a user is called."""
    return f"user_data {token(name)}@{token(domain)} param dial-string"


def contact(name: str, domain: str) -> str:
    """Ask where a user's telephones are: ``error/user_not_registered`` for none (tried)."""
    return f"sofia_contact */{token(name)}@{token(domain)}"


def variable(channel: str, name: str) -> str:
    """Ask for a channel's variable: ``_undef_`` when it has none."""
    return f"uuid_getvar {token(channel)} {token(name)}"


def expanded(template: str, user: str, domain: str) -> str:
    """Ask what an administrator has written, of a user; "" is the switch's own domain."""
    named = template.replace("{user}", token(user))
    if domain:
        return question(named.replace("{domain}", token(domain)))
    question(named.replace("{domain}", "x"))
    return named if "{domain}" not in named else f"expand {named.replace('{domain}', '${domain}')}"
