"""Every page with hostile values, on both databases: a round of ``tests.fuzz.panel``."""

from flask import Flask
from sqlalchemy import Engine

from tests.fuzz.panel import Walker

ROUNDS = 1


def test_no_page_fails_whatever_is_asked(app: Flask, engine: Engine) -> None:
    walker = Walker(engine)
    walker.learn()
    for _ in range(ROUNDS):
        walker.round()
    assert walker.findings == []
    pages, documents = len(walker.targets), len(walker.operations)
    assert walker.asked == (ROUNDS + 1) * pages + ROUNDS * documents
    assert (pages > 70, documents > 10) == (True, True)
