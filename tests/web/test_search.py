import pytest
from sqlalchemy import Engine

from fsctl.admin.example import add_example
from fsctl.admin.groups import add_group
from fsctl.store.engine import reading
from fsctl.store.web_groups import find_page, id_of_group


@pytest.fixture
def groups(engine: Engine) -> Engine:
    add_example(engine)
    add_group(engine, "Group 100%", description="Łódź")
    add_group(engine, "sales", domain="b.example")
    return engine


@pytest.mark.parametrize(
    ("search", "domain", "names"),
    [
        ("", "", ["Group 100%", "sales", "sales"]),
        ("", "b.example", ["sales"]),
        ("SALES", "", ["sales", "sales"]),
        ("58 762-47", "", ["sales"]),
        ("Test006", "", ["sales"]),
        ("Łódź", "", ["Group 100%"]),
        ("0%", "", ["Group 100%"]),
        ("0_", "", []),
        ("\\", "", []),
        ("600", "b.example", []),
    ],
)
def test_groups_are_found(groups: Engine, search: str, domain: str, names: list[str]) -> None:
    with reading(groups) as session:
        found = find_page(session, search, domain, 0, 10)
        assert [group.name for _, group in found.groups] == names
        assert found.total == len(names)
        assert len(find_page(session, search, domain, 1, 1).groups) == (len(names) > 1)


def test_a_group_is_known_by_its_id(groups: Engine) -> None:
    with reading(groups) as session:
        assert id_of_group(session, "SALES", "b.example") == 3
        assert id_of_group(session, "nobody", "") is None
