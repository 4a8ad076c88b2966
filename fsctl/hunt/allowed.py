"""What a tenant's groups may have the switch use: contexts, extensions, files, hosts. Pure.

A group with a domain belongs to that domain's administrators, who are not the switch's. Their
groups may name only what the settings allow. Groups without a domain are the installation's own,
and are not restricted. The rule is the same when a value is set and when a call comes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fsctl.hunt.endings import Kind, Reason, read_ending
from fsctl.hunt.group import Group
from fsctl.hunt.line import parts_of

Entries = tuple[tuple[str, str], ...]
"""What is allowed: for each entry the domain that it is for, ``""`` for every one, and a value."""

SOUNDS = (
    "music", "greeting", "announcement", "confirm_prompt", "too_late", "line_music",
    "line_position",
)  # fmt: skip
ENDINGS = ("ending", *(reason.value for reason in Reason))
RESTRICTED = (*SOUNDS, "recording", *ENDINGS)
"""The settings of a group that are looked at."""

DOMAIN = "{domain}"
ANY = "*"
_FETCHED = ("http", "https", "http_cache", "shout")
_NESTED = re.compile(r"https?://")
_AUTHORITY = re.compile(r"([A-Za-z0-9.-]+)(:[0-9]{1,5})?([/?].*)?")
LONGEST_INSIDE = 6
"""Digits of an extension beyond which it may be a number outside."""
_EXTENSION = re.compile(r"[A-Za-z0-9*#+._-]{1,64}")
_CONTEXT = re.compile(r"[A-Za-z0-9{][A-Za-z0-9._{}-]{0,63}|\*")
_DIRECTORY = re.compile(r"(/[A-Za-z0-9._+@{}-]+)+")
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\*")


def read_contexts(text: str) -> Entries:
    """Read contexts separated by commas. Raises ValueError, which says what to write."""
    return _entries(text, _CONTEXT, "contexts separated by commas, for example internal")


def read_extensions(text: str) -> Entries:
    """Read extensions separated by commas. Raises ValueError, which says what to write."""
    return _entries(text, _EXTENSION, "numbers separated by commas, for example 4858762*")


def read_directories(text: str) -> Entries:
    """Read directories separated by commas. Raises ValueError, which says what to write."""
    advice = "directories separated by commas, for example /var/lib/sounds/{domain}"
    return _entries(text, _DIRECTORY, advice)


def read_hosts(text: str) -> Entries:
    """Read hosts separated by commas. Raises ValueError, which says what to write."""
    return _entries(text, _HOST, "hosts separated by commas, for example media.example.net")


def show_entries(entries: Entries) -> str:
    """Write entries as they are read."""
    return ",".join(f"{domain}={value}" if domain else value for domain, value in entries)


def _entries(text: str, form: re.Pattern[str], advice: str) -> Entries:
    found = []
    for part in text.split(",") if text.strip() else ():
        domain, _, value = part.strip().rpartition("=")
        rest = value.replace(DOMAIN, "x")
        if not form.fullmatch(value) or ".." in value or "{" in rest or "}" in rest:
            raise ValueError(f"write {advice}; DOMAIN=VALUE is for that domain only")
        found.append((domain.strip().lower(), value))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """What a value would have the switch use, and the setting that does not allow it."""

    what: str
    setting: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """What groups with a domain may use. ``usual`` is the context of destinations without any."""

    contexts: Entries = ()
    extensions: Entries = ()
    directories: Entries = ()
    hosts: Entries = ()
    usual: str = ""

    def wrong(self, domain: str, values: Mapping[str, str | None]) -> dict[str, NotAllowed]:
        """Return what of these settings is not allowed for a group of a domain, by name."""
        found: dict[str, NotAllowed] = {}
        for name in RESTRICTED if domain else ():
            text = values.get(name)
            why = self._why_not(domain, name, text) if text else None
            if why:
                found[name] = why
        return found

    def _why_not(self, domain: str, name: str, text: str) -> NotAllowed | None:
        if name == "recording":
            return self._file(domain, text)
        if name in SOUNDS:
            return next(filter(None, (self._sound(domain, part) for part in parts_of(text))), None)
        try:
            ending = read_ending(text)
        except ValueError:
            return None  # of a newer fsctl: a release to us
        if ending.kind is Kind.PLAY:
            return self._sound(domain, ending.to)
        if ending.kind is Kind.EXTENSION:
            return self._extension(domain, ending.to, ending.context)
        return None

    def _extension(self, domain: str, number: str, context: str) -> NotAllowed | None:
        allowed = _for(self.contexts, domain)
        if context not in ("", self.usual or domain):
            named = context in allowed or ANY in allowed
            return None if named else NotAllowed(context, "allowed_contexts")
        if not _may_be_outside(number):
            return None
        for entry in _for(self.extensions, domain):
            if number == entry or (entry.endswith(ANY) and number.startswith(entry[:-1])):
                return None
        return NotAllowed(number, "allowed_extensions")

    def _sound(self, domain: str, text: str) -> NotAllowed | None:
        scheme, stream, rest = text.partition("://")
        if not stream:
            # A name without "/" in front is one of the sounds that came with the switch.
            return self._file(domain, text) if text.startswith("/") or ".." in text else None
        if scheme in _FETCHED:
            return self._host(domain, rest)
        if scheme == "tone_stream" and rest[:5].lower() == "path=":
            return self._file(domain, rest[5:])
        return None

    def _file(self, domain: str, path: str) -> NotAllowed | None:
        directories = _for(self.directories, domain)
        inside = any(path.startswith(f"{directory}/") for directory in directories)
        return None if inside and ".." not in path else NotAllowed(path, "allowed_directories")

    def _host(self, domain: str, rest: str) -> NotAllowed | None:
        """Look at whom an address names; only a plain name is read, so that all read it alike."""
        rest = _NESTED.sub("", rest, count=1) if _NESTED.match(rest) else rest
        authority = _AUTHORITY.fullmatch(rest)
        host = authority[1].lower() if authority else rest
        for entry in _for(self.hosts, domain) if authority else ():
            one = entry.lower()
            if one in (ANY, host) or (one.startswith("*.") and host.endswith(one[1:])):
                return None
        return NotAllowed(host, "allowed_hosts")


def restricted(group: Group) -> dict[str, str | None]:
    """Return the settings of a group that are looked at."""
    return {name: getattr(group, name) for name in RESTRICTED}


def _may_be_outside(number: str) -> bool:
    digits = sum(char.isdigit() for char in number)
    return number.startswith(("+", "00")) or digits > LONGEST_INSIDE


def _for(entries: Entries, domain: str) -> list[str]:
    return [value.replace(DOMAIN, domain) for of, value in entries if of in ("", domain)]


@dataclass
class Restriction:
    """Takes from groups that are read what they may not use, and notes that for a log.

    Another destination, ringing or no recording comes in its place.
    """

    allowed: Allowed
    noted: list[str] = field(default_factory=list)
    _known: dict[int, tuple[Group, Group]] = field(default_factory=dict)

    def of(self, group: Group) -> Group:
        """Return a group as it may be served, with the groups within it and after it."""
        known = self._known.get(id(group))
        if known is None:
            known = self._known[id(group)] = group, self._served(group)
        return known[1]

    def _served(self, group: Group) -> Group:
        wrong = self.allowed.wrong(group.domain, restricted(group))
        for name, why in wrong.items():
            self.noted.append(
                f"{name.replace('_', ' ')} of group {group.name!r} ({group.domain}) is left out: "
                f"{why.setting} does not allow {why.what}"
            )
        changes: dict[str, object] = dict.fromkeys(wrong)
        for name in ("inner", "onward"):
            before: tuple[tuple[str, Group], ...] = getattr(group, name)
            after = tuple((text, self.of(one)) for text, one in before)
            if any(new[1] is not old[1] for new, old in zip(after, before, strict=True)):
                changes[name] = after
        return replace(group, **changes) if changes else group  # type: ignore[arg-type]
