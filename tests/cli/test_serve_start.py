"""`cp247 serve` that cannot start says why in one line, and ends with exit status 2."""

import socket

import pytest
from running import Running, cp247


@pytest.fixture
def gateway(tmp_path):
    return Running(tmp_path / "gateway")


def complaint(gateway: Running) -> str:
    result = cp247("serve", config=gateway.config, check=False)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    return result.stderr.splitlines()[-1]


@pytest.mark.parametrize("option", ["inbound.listen", "monitoring.listen"])
def test_a_port_that_is_taken_is_named(gateway: Running, option: str):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        endpoint = f"127.0.0.1:{taken.getsockname()[1]}"
        gateway.configure(**{option: endpoint if option.startswith("monitoring") else [endpoint]})
        found = complaint(gateway)
    assert found.startswith(f"error: {gateway.config}: cannot start: ")
    assert "address already in use" in found.lower()
    assert option in found


def test_a_file_that_is_no_database_is_not_touched(gateway: Running):
    file = gateway.folder / "state" / "gateway.db"
    file.write_text("not a database\n" * 100)
    assert complaint(gateway) == "error: file is not a database; see `database` in gateway.yaml, or run `cp247 doctor`"
    assert file.read_text() == "not a database\n" * 100
