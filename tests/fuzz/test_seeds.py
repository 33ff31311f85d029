"""The claims of the fuzz targets over every seed and every input that once broke one; the guided search is `make fuzz`."""

import pytest

from .targets import TARGETS, crashers


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_keeps_the_claims(name: str) -> None:
    seeds = list(TARGETS[name].seeds())
    assert seeds
    for content in seeds:
        TARGETS[name].check(content)


@pytest.mark.parametrize("name", TARGETS)
def test_what_once_broke_a_claim_keeps_it(name: str) -> None:
    for path in crashers(name):
        TARGETS[name].check(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_at_all_keeps_the_claims(name: str) -> None:
    TARGETS[name].check(b"")
