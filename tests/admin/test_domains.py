import pytest
from sqlalchemy import Engine, insert
from sqlalchemy.exc import IntegrityError

from fsctl.admin.errors import Refused, WrongValue
from fsctl.admin.groups import add_group, get_group, list_groups, remove_group, set_group
from fsctl.admin.members import add_member, remove_member
from fsctl.admin.numbers import add_numbers, remove_numbers
from fsctl.store.engine import reading, writing
from fsctl.store.groups import find_group_by_number
from fsctl.store.tables import GroupNumber, HuntGroup

A, B = "a.example", "b.example"


@pytest.fixture
def tenants(engine: Engine) -> Engine:
    """Three groups of one name, with one internal number: of nobody, of A and of B."""
    for domain in ("", A, B):
        add_group(engine, "sales", domain=domain, description=domain)
        add_numbers(engine, "sales", ["600"], "PL", domain=domain)
    return engine


def found(engine: Engine, *candidates: str, domain: str = "") -> str | None:
    with reading(engine) as session:
        group = find_group_by_number(session, candidates, domain)
    return None if group is None else f"{group.name}@{group.domain}"


def test_a_call_finds_its_own_domain_s_group(tenants: Engine) -> None:
    assert found(tenants, "600") == "sales@"
    assert found(tenants, "600", domain=A) == f"sales@{A}"
    assert found(tenants, "600", domain=B.upper()) == f"sales@{B}"


def test_a_domain_without_that_number_shares_the_groups_of_none(tenants: Engine) -> None:
    assert found(tenants, "600", domain="c.example") == "sales@"
    remove_numbers(tenants, "sales", ["600"], "PL")
    assert found(tenants, "600", domain="c.example") is None
    assert found(tenants, "600") is None
    assert found(tenants, "600", domain=A) == f"sales@{A}"


def test_a_city_number_is_found_from_everywhere(tenants: Engine) -> None:
    add_numbers(tenants, "sales", ["+48587624731"], "PL", domain=A)
    assert found(tenants, "+48587624731", domain="c.example") == f"sales@{A}"
    for domain in ("", A, B):
        assert found(tenants, "+48587624731", domain=domain) == f"sales@{A}"
        with pytest.raises(Refused, match=rf'^\+48587624731 .* group "sales" of {A}'):
            add_numbers(tenants, "sales", ["587624731"], "PL", domain=domain)


def test_the_first_candidate_wins_before_the_domain(tenants: Engine) -> None:
    add_numbers(tenants, "sales", ["601"], "PL")
    assert found(tenants, "601", "600", domain=A) == "sales@"


@pytest.mark.parametrize(
    "domain", ["a\0b", "a\nb", "'; DROP TABLE hunt_group; --", "é", "a" * 100_000, "-", "."]
)
def test_a_stranger_s_domain_is_no_trouble(tenants: Engine, domain: str) -> None:
    assert found(tenants, "600", domain=domain) == "sales@"


def test_names_are_their_domain_s_own(tenants: Engine) -> None:
    assert [(group.domain, group.name) for group in list_groups(tenants)] == [
        ("", "sales"), (A, "sales"), (B, "sales"),
    ]  # fmt: skip
    set_group(tenants, "SALES", wait=5, domain=A)
    assert [group.wait for group in list_groups(tenants)] == [30.0, 5.0, 30.0]
    add_member(tenants, "sales", "test002", domain=B)
    assert get_group(tenants, "sales", domain=B).members
    assert not get_group(tenants, "sales").members
    with pytest.raises(Refused, match=rf'^there is a group "sales" of {A} already$'):
        add_group(tenants, "Sales", domain=A)
    with pytest.raises(Refused, match=rf'^test002 is not a member of group "sales" of {A}; '):
        remove_member(tenants, "sales", "test002", domain=A)
    with pytest.raises(Refused, match=r'^there is no group "sale" of c\.example; see'):
        get_group(tenants, "sale", domain="c.example")
    change = remove_group(tenants, "sales", domain=B)
    assert change.text.startswith(f'Group "sales" of {B} removed;')
    assert len(list_groups(tenants)) == 2


@pytest.mark.parametrize("domain", ["a b", "-a", "a..b", "é.example", "a" * 254, "a\n"])
def test_what_is_no_domain_is_refused(engine: Engine, domain: str) -> None:
    with pytest.raises(WrongValue, match="is not a domain: write a domain's name"):
        add_group(engine, "sales", domain=domain)


ROW = {"name": "x", "name_key": "x", "description": "", "wait_ms": 1000, "advance": True,
       "enabled": True, "created_at": 1}  # fmt: skip


def test_the_database_itself_keeps_tenants_apart(tenants: Engine) -> None:
    def refuse(statement: object) -> None:
        with pytest.raises(IntegrityError), writing(tenants) as session:
            session.execute(statement)  # type: ignore[call-overload]

    ids = {row.domain: row.id for row in _rows(tenants)}
    number = insert(GroupNumber)
    city = {"number": "+48587624731", "kind": "city"}
    with writing(tenants) as session:
        session.execute(number.values(group_id=ids[A], domain=A, **city))
    refuse(number.values(group_id=ids[B], domain=B, **city))
    refuse(number.values(group_id=ids[A], domain=A, number="600", kind="internal"))
    # A number's domain is its group's, whatever is written.
    refuse(number.values(group_id=ids[A], domain=B, number="601", kind="internal"))
    refuse(number.values(group_id=ids[A], domain="", number="601", kind="internal"))
    refuse(insert(HuntGroup).values({**ROW, "name_key": "sales", "domain": A}))
    refuse(insert(HuntGroup).values({**ROW, "domain": "A.EXAMPLE"}))


def test_numbers_follow_their_group_to_another_domain(tenants: Engine) -> None:
    with writing(tenants) as session:
        row = session.get_one(HuntGroup, {one.domain: one.id for one in _rows(tenants)}[A])
        row.domain = "c.example"
    assert found(tenants, "600", domain="c.example") == "sales@c.example"
    assert found(tenants, "600", domain=A) == "sales@"


def _rows(engine: Engine) -> list[HuntGroup]:
    with reading(engine) as session:
        return list(session.query(HuntGroup))
