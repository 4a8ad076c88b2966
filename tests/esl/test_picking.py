"""What a telephone's channel is told that picks a caller up."""

import pytest

from fsctl.demo.quoting import inline_actions
from fsctl.esl.errors import Unquotable
from fsctl.esl.moving import leave, tell
from fsctl.esl.picking import PickUp, is_claimed, waits

A, P = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
TONE = "tone_stream://%(250,250,425);loops=2"
ORDER = PickUp(A, "anna@a.example", ("fsctl_music",), TONE, "/rec/a.wav")


def test_the_claim_comes_first_and_the_caller_last() -> None:
    let_go, take = leave(P, ORDER.steps())
    assert let_go == f"api uuid_setvar {P} socket_resume false"
    target = take.removeprefix(f"api uuid_transfer {P} '").removesuffix("' inline")
    actions = inline_actions(target)
    assert [name for name, _ in actions] == [
        "set", "limit", "set", "set", "set", "set", "answer", "set", "record_session", "intercept",
        "answer", "sleep", "sched_hangup", "playback", "hangup",
    ]  # fmt: skip
    limit, cleared = str(actions[1][1]), str(actions[7][1])
    assert limit == f"hash fsctl {A} 1 m:|:playback:{TONE}|hangup:LOSE_RACE inline"
    assert cleared.index("socket_resume false") < cleared.index("hupall(LOSE_RACE fsctl_hunt")
    assert f"sched_del(fsctl-{A})" in cleared
    assert f"uuid_setvar({A} fsctl_music)" in cleared


@pytest.mark.parametrize(
    "order",
    [
        PickUp(A, "a^hangup", (), TONE),
        PickUp(A, "a b", (), TONE),
        PickUp(A, "a\napi status", (), TONE),
        PickUp(A, "${x}", (), TONE),
        PickUp(f"{A}'", "a", (), TONE),
        PickUp(A, "a", ("x y",), TONE),
        PickUp(A, "a", (), "a^hangup"),
        PickUp(A, "a", (), "a|hangup"),
        PickUp(A, "a", (), "a b"),
        PickUp(A, "a", (), TONE, "/rec/../x.wav"),
    ],
)
def test_nothing_but_what_is_meant_gets_through(order: PickUp) -> None:
    with pytest.raises(Unquotable):
        order.steps()


@pytest.mark.parametrize(("sound", "cause"), [("a'b", "USER_BUSY"), (TONE, "USER_BUSY^answer")])
def test_nor_does_it_in_what_is_told(sound: str, cause: str) -> None:
    with pytest.raises(Unquotable):
        tell(sound, cause, answered=True)


@pytest.mark.parametrize(
    ("application", "claims", "can"),
    [
        ("socket", "0", True),
        ("endless_playback", "0", True),
        ("loop_playback", "0\n", True),
        ("socket", "1", False),
        ("playback", "0", False),
        ("_undef_", "0", False),
        ("-ERR No such channel!\n", "0", False),
        ("socket", "-ERR no reply", False),
    ],
)
def test_who_can_be_picked_up(application: str, claims: str, can: bool) -> None:
    assert waits(application, claims) is can


def test_a_claim() -> None:
    assert [is_claimed(text) for text in ("0", "1", "1\n", "", "+OK", "-ERR x")] == [
        False, True, True, False, False, False,
    ]  # fmt: skip
