"""What of a caller's channel members get, as they do with FreeSWITCH's own ``bridge``."""

from __future__ import annotations

import pytest

from tests.scenarios.conftest import MakeGroup
from tests.scenarios.controllers import ServedController
from tests.scenarios.rig import Actions, Rig, Script

EXPORTS: Actions = (
    ("export", "sip_h_X-CRM=42/a;b=c"),
    ("export", "nolocal:sip_h_X-Remote=only, there"),
    ("export", "_nolocal_sip_h_X-Other=43"),
    ("export", "customer=Żółć & Sons"),
    ("set", "sip_h_X-Set=here"),
    ("set", "not_exported=1"),
)


def headers_of(rig: Rig, user: str = "test002") -> dict[str, str]:
    """Return the X- headers of the INVITE to a phone, but for those that are always there."""
    found = rig.log.wait(user, "invite").detail["headers"]
    assert isinstance(found, dict)
    usual = ("X-Controllers", "X-FS-Support", "X-Fsctl-Hops", "X-Before")
    return {name: value for name, value in found.items() if name not in usual}


def variable_of_leg(rig: Rig, caller: str, name: str) -> str:
    """Return a variable of the only channel beside the caller's."""
    [leg] = [uuid for uuid in rig.channels() if uuid != caller]
    return rig.api(f"uuid_getvar {leg} {name}").strip()


def test_what_the_dialplan_exports_and_the_callers_headers(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002")
    number = group(["test002"])
    call = rig.dial(number, before=EXPORTS, headers=(("X-Account", "600 100"), ("P-Other", "x")))
    assert headers_of(rig) == {
        "X-CRM": "42/a;b=c",
        "X-Remote": "only, there",
        "X-Other": "43",
        "X-Set": "here",
        "X-Account": "600 100",
    }
    assert variable_of_leg(rig, call.uuid, "customer") == "Żółć & Sons"
    assert variable_of_leg(rig, call.uuid, "not_exported") == "_undef_"
    exported = variable_of_leg(rig, call.uuid, "export_vars").split(",")
    assert exported == ["sip_h_X-Fsctl-Hops", "sip_h_X-CRM", "customer"]


@pytest.mark.parametrize(
    "switch", [pytest.param("freeswitch", marks=pytest.mark.live)], indirect=True
)
def test_it_is_what_bridge_gives(rig: Rig, group: MakeGroup) -> None:
    """The Python switch has no ``bridge`` to compare with."""
    headers = (("X-Account", "600 100"), ("X-Second", "a"))
    rig.phone("test002")
    hunted = rig.dial(group(["test002"]), before=EXPORTS, headers=headers)
    given = headers_of(rig)
    hunted.hang_up()
    rig.log.wait("test002", "cancel")
    rig.log.clear()  # type: ignore[attr-defined]
    rig.dial("bridge-test002", before=EXPORTS, headers=headers)
    assert headers_of(rig) == given


def test_every_group_and_every_telephone(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002", Script(refuse=486), phones=2)
    rig.phone("test006")
    second = group(["test006"])
    rig.dial(group(["test002"], ending=f"group group {second}"), headers=(("X-Account", "6"),))
    for who in ("test002", "test002#2", "test006"):
        assert headers_of(rig, who) == {"X-Account": "6"}


HOSTILE = {
    "X-Brace": "}user/test007 &park(",
    "X-Quote": "it's",
    "X-Double": 'a"b',
    "X-Call": "${global_setvar(fsctl_canary=1)}",
    "X-Comma": "x,api_on_answer=global_setvar fsctl_canary=1",
    "X-Escaped": "x\\,api_on_answer=global_setvar fsctl_canary=1",
    "X-Other": "^^:a=1:api_on_answer=global_setvar fsctl_canary=1",
    "X-Endpoints": "a:_:user/test007",
    "X-Pipe": "a|user/test007",
    "X-Long": "a" * 201,
    "X-" + "n" * 80: "1",
    "X-Good": "[a]<b>(c) 100% ~x",
}


def test_what_a_stranger_writes_stays_a_value_or_is_left_out(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002", Script(answer_after=0.2))
    rig.phone("test007")
    call = rig.dial(group(["test002"]), headers=tuple(HOSTILE.items()))
    assert headers_of(rig) == {name: HOSTILE[name] for name in ("X-Comma", "X-Good")}
    rig.log.wait("test002", "talking")
    assert call.hears("test002")
    rig.log.absent("test007", "invite")
    assert "1" not in rig.api("global_getvar fsctl_canary")


def test_what_ours_decides_is_not_the_dialplans(rig: Rig, group: MakeGroup) -> None:
    """What has a leg run something, or changes how it is won, is not carried."""
    rig.phone("test002", Script(answer_after=1.5))
    rig.phone("test006")
    before: Actions = tuple(
        ("export", f"nolocal:{text}")
        for text in (
            "fsctl_hunt=x",
            "group_confirm_key=1",
            "execute_on_answer=hangup",
            "ignore_early_media=false",
            "originate_timeout=1",
            "call_timeout=1",
            "return_ring_ready=true",
            "fail_on_single_reject=true",
            "monitor_early_media_ring=true",
            "api_on_answer=global_setvar fsctl_canary=1",
            "Hangup_After_Bridge=false",
            "origination_uuid=same",
        )
    )
    call = rig.dial(group(["test002", "test006"]), before=before)
    rig.log.wait("test006", "cancel")
    assert call.hears("test002")
    call.hang_up()
    rig.log.wait("test002", "bye")
    assert rig.fallbacks() == []
    assert "1" not in rig.api("global_getvar fsctl_canary")


def test_there_is_a_most(rig: Rig, group: MakeGroup) -> None:
    rig.phone("test002")
    headers = tuple((f"X-H{number:02}", "v" * 150) for number in range(40))
    rig.dial(group(["test002"]), headers=headers)
    found = headers_of(rig)
    assert 5 < len(found) < 20
    assert sum(map(len, found.values())) <= 2000


@pytest.mark.parametrize(
    ("allowed", "carried"),
    [("none", {}), ("X-Account,P-*", {"X-Account": "1"}), ("x-s*", {"X-Set": "here"})],
)
def test_which_headers_is_a_setting(
    rig: Rig, group: MakeGroup, database_url: str, allowed: str, carried: dict[str, str]
) -> None:
    """What the dialplan exports goes with the call all the same."""
    controller = ServedController(database_url, leg_headers=allowed)
    try:
        rig.phone("test002")
        rig.dial(
            group(["test002"]),
            before=(("export", "sip_h_X-CRM=42"), ("set", "sip_h_X-Set=here")),
            headers=(("X-Account", "1"),),
            controllers=controller.address,
        )
        assert headers_of(rig) == carried | {"X-CRM": "42"}
    finally:
        controller.stop()


def test_what_the_dialplan_exports_at_the_bridge(rig: Rig, group: MakeGroup) -> None:
    """FreeSWITCH itself does that, whoever bridges."""
    if rig.name == "python":
        pytest.skip("the Python switch knows no bridge_export")
    rig.phone("test002", Script(answer_after=0.1))
    call = rig.dial(group(["test002"]), before=(("bridge_export", "ticket=7"),))
    rig.log.wait("caller", "answered")
    assert call.hears("test002")
    assert variable_of_leg(rig, call.uuid, "ticket") == "7"
