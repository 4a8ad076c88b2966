from collections.abc import Iterator

import pytest

from tests.demo.harness import Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()
