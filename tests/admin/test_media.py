"""What an administrator may have played, shown and recorded."""

import pytest

from fsctl.admin.errors import WrongValue
from fsctl.admin.terms import GROUP_TERMS


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("music", "local_stream://moh"),
        ("music", "tone_stream://%(1000,4000,425);loops=-1"),
        ("music", "https://example.com/a.mp3?x=1"),
        ("greeting", "/var/sounds/a.wav"),
        ("announcement", "ivr/ivr-welcome.wav"),
        ("alert_info", "Bellcore-dr3"),
        ("alert_info", "<http://example.com>;info=alert-group;x-line-id=0"),
        ("caller_name", "[Sales] {name}"),
        ("caller_name", ""),
        ("caller_number", "{dialled}"),
        ("recording", "/var/recordings/{group}/{date}-{time}-{uuid}.wav"),
        ("line_position", "file_string://ivr/ivr-you_are_number.wav!digits/{position}.wav"),
        ("line_position", "/sounds/{position}.wav"),
    ],
)
def test_these_may_be_written(name: str, text: str) -> None:
    assert GROUP_TERMS[name].read(text) == text


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("music", "shell_stream://reboot", "is no sound"),
        ("music", "${system(reboot)}", "is no sound"),
        ("music", "/a b.wav", "is no sound"),
        ("greeting", "/a/../../etc/passwd", "is no sound"),
        ("greeting", "say:hello", "is no sound"),
        ("greeting", "file_string://a.wav!b.wav", "is no sound"),
        ("line_position", "file_string://a.wav!shell_stream://reboot", "is no sound"),
        ("line_position", "file_string://a.wav!../{position}.wav", "is no sound"),
        ("line_position", "file_string://a.wav!", "is no sound"),
        ("line_position", "digits/{number}.wav", "the placeholders are {position}"),
        ("alert_info", "info=alert-group", "is no ring"),
        ("alert_info", "<http://a b>", "is no ring"),
        ("caller_name", "{nobody}", "the placeholders are"),
        ("caller_name", "x" * 101, "at most 100"),
        ("recording", "a.wav", "is no file to record in"),
        ("recording", "/a/../b.wav", "is no file to record in"),
        ("recording", "/a/{uuid}", "is no file to record in"),
        ("recording", "/a/{name}.wav", "the placeholders are"),
        ("announce_every", "0.5", "1 to 3600"),
    ],
)
def test_these_may_not(name: str, text: str, says: str) -> None:
    with pytest.raises(WrongValue, match=says):
        GROUP_TERMS[name].read(text)


def test_none_clears_a_sound() -> None:
    assert GROUP_TERMS["music"].read("none") is None
