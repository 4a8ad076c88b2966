import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsctl.store.numbers import LONGEST_TEXT, NumberError, dialled, is_assigned, normalise

REGIONS = st.sampled_from(["PL", "US", "GB", "DE", "IT", "BR", "DK"])
TEXTS = st.text(st.sampled_from("0123456789+*#-. ()/"), max_size=24) | st.text(max_size=80)


@pytest.mark.parametrize(
    "text",
    [
        "587624731",
        "58 762 47 31",
        "58-762-47-31",
        "(58) 762.47.31",
        "48587624731",
        "0048587624731",
        "00 48 58/762-47-31",
        "+48587624731",
        "+48\u00a058\u2011762\u201347\u202f31",
    ],
)
def test_a_city_number_has_one_form(text: str) -> None:
    assert normalise(text, "PL") == ("+48587624731", "city")


@pytest.mark.parametrize("text", ["600", "0", "*45", "#", "112", "12345678", "6-0-0"])
def test_an_internal_number_stays_as_it_is_dialled(text: str) -> None:
    assert normalise(text, "PL") == (text.replace("-", ""), "internal")


def test_the_region_decides() -> None:
    assert normalise("020 7946 0958", "GB").value == "+442079460958"
    assert normalise("32 12 34 56", "DK") == ("+4532123456", "city")
    assert normalise("32 12 34 56", "PL") == ("32123456", "internal")


def test_a_number_that_is_only_possible_is_taken_when_it_cannot_be_internal() -> None:
    assert normalise("123456789", "PL") == ("+48123456789", "city")


@pytest.mark.parametrize(
    "text",
    ["", " ", "abc", "600a", "+", "00", "+48", "+0587624731", "+48*5", "48+5", "1" * 65, "600\n",
     "\u0666\u0660\u0660", "123*456#789", "1" * 30, "++48587624731", "\ud800"],
)  # fmt: skip
def test_what_is_no_number_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(NumberError) as raised:
        normalise(text, "PL")
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("text", "region", "value"),
    [
        ("+48 (0)58 762 47 31", "PL", "+48587624731"),
        ("0048 (0) 58 762 47 31", "GB", "+48587624731"),
        ("48 (0)58 762 47 31", "PL", "+48587624731"),
        ("(0)58 762 47 31", "PL", "+48587624731"),
        ("+44 (0)20 7946 0958", "PL", "+442079460958"),
        ("(0)20 7946 0958", "GB", "+442079460958"),
        ("+49 (0)30 901820", "PL", "+4930901820"),
        ("+39 (0)6 69812345", "PL", "+390669812345"),  # in Italy the zero is always dialled
    ],
)
def test_a_zero_that_is_dialled_within_a_country_only_is_read(
    text: str, region: str, value: str
) -> None:
    assert normalise(text, region) == (value, "city")
    assert dialled(text, region)[0] == value


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("+480587624731", "write +48587624731"),
        ("00480587624731", "write +48587624731"),
        ("0587624731", "write +48587624731"),
        ("0700 123 456", "write +48700123456"),
        ("+1 555 1234", "is not a possible international number"),
        ("(0)600", "is neither"),
    ],
)
def test_what_no_numbering_plan_has_is_refused(text: str, hint: str) -> None:
    with pytest.raises(NumberError, match=hint.replace("+", r"\+")):
        normalise(text, "PL")
    assert dialled("+480587624731", "PL") == ()


@pytest.mark.parametrize(
    ("text", "one", "other"),
    [
        ("+39 (0)312 3456789", "+3903123456789", "+393123456789"),  # of Como, or a mobile
        ("+39 (0)800 123456", "+390800123456", "+39800123456"),
        ("+247 (0)62889", "+247062889", "+24762889"),
    ],
)
def test_a_zero_in_brackets_that_may_be_either_is_refused(text: str, one: str, other: str) -> None:
    with pytest.raises(NumberError) as raised:
        normalise(text, "PL")
    assert str(raised.value) == f"{text!r} can be two numbers: write {one} or {other}"
    assert dialled(text, "PL") == (one,)


def test_a_number_may_be_possible_and_not_assigned() -> None:
    assert normalise("+48 999 999 999", "PL").value == "+48999999999"
    assert not is_assigned("+48999999999")
    assert is_assigned("+48587624731")


@given(
    st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)),
    st.text(st.sampled_from("0123456789"), min_size=3, max_size=12),
    st.booleans(),
)
def test_what_is_taken_is_in_a_plan_of_its_country(region: str, digits: str, zero: bool) -> None:
    code = phonenumbers.country_code_for_region(region)
    text = f"+{code} (0){digits}" if zero else f"+{code}{digits}"
    try:
        value = normalise(text, "PL").value
    except NumberError:
        return
    number = phonenumbers.parse(value, None)
    assert phonenumbers.is_possible_number(number)
    if number.italian_leading_zero and not phonenumbers.is_valid_number(number):
        # Not assigned yet, but in a plan in which numbers do begin with 0.
        patterns = [
            plan.general_desc.national_number_pattern
            for one in phonenumbers.region_codes_for_country_code(number.country_code)
            if (plan := phonenumbers.PhoneMetadata.metadata_for_region(one))
        ]
        national = phonenumbers.national_significant_number(number)
        assert any(re.fullmatch(pattern, national) for pattern in patterns)


@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)), st.booleans())
def test_every_countrys_example_number_survives_its_printed_forms(
    region: str, printed: bool
) -> None:
    example = phonenumbers.example_number(region)
    value = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    form = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    text = phonenumbers.format_number(example, form) if printed else value
    assert normalise(text, "PL") == (value, "city")
    assert is_assigned(value)
    if not example.italian_leading_zero:
        code, _, rest = text.partition(" ")
        if rest and code != "+247":  # Ascension has numbers of either kind
            assert normalise(f"{code} (0){rest}", "PL").value == value


@given(TEXTS, REGIONS)
def test_a_normalised_number_is_its_own_normal_form(text: str, region: str) -> None:
    try:
        number = normalise(text, region)
    except NumberError:
        return
    assert normalise(number.value, region) == number
    assert len(number.value) <= 16
    assert dialled(text, region)[0] == number.value


@given(TEXTS, REGIONS)
def test_looking_a_destination_up_never_fails(text: str, region: str) -> None:
    keys = dialled(text, region)
    assert len(keys) == len(set(keys)) <= 3
    assert all(normalise(key, region) for key in keys if key.startswith("+"))


def test_providers_ways_to_write_a_number_all_lead_to_it() -> None:
    for text in ("+48587624731", "0048587624731", "48587624731", "587624731"):
        assert "+48587624731" in dialled(text, "PL")
    assert dialled("600", "PL") == ("600",)


def test_an_internal_number_is_found_even_where_it_looks_like_a_city_number() -> None:
    assert dialled("32123456", "DK") == ("+4532123456", "32123456")


def test_an_endless_destination_has_no_keys() -> None:
    assert dialled("1" * (LONGEST_TEXT + 1), "PL") == ()
    assert dialled("600" * 1_000_000, "PL") == ()
