"""One world for the whole room: making its keys takes the time."""

import pytest
from pipeline_world import make_world

from gateway.cli.demo.stub_dns import StubDns


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("road")
    with StubDns({}) as stub:
        made = make_world(folder, stub)
        yield made
        made.tools.seal.home.kill_agent()
        for one in (made.bx, made.sx):
            one.key.end()
