"""The lines of a controller's groups: which of them are kept in mind."""

from typing import Any
from unittest.mock import Mock

from fsctl.controller.line import Lines
from fsctl.controller.stay import Stay
from fsctl.hunt.group import Group, Member


def test_a_line_that_its_last_caller_has_left_is_forgotten_whatever_comes_after() -> None:
    lines = Lines()
    caller: Any = Mock(uuid="u1", hears=False, media=False, **{"arrival.ringback": ""})
    stay = Stay(caller, Group("sales", members=(Member("test002"),), line=3), 1.0, lines)
    one: Any = Mock(stay=stay)
    lines.stand(one)
    assert lines.told()
    lines.leave(stay)
    lines.step_out(one)  # a stranger has taken the caller: the end is told twice
    lines.leave(stay)
    assert not lines.told()
