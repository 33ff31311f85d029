"""What Prometheus and a load balancer read."""

import json
import urllib.error
import urllib.request

import pytest

from gateway.service.monitoring import Monitoring


@pytest.fixture
def monitoring():
    state = {"database": True}
    refreshed = []
    server = Monitoring("127.0.0.1:0", refresh=lambda: refreshed.append(1), ready=lambda: state)
    yield server, state, refreshed
    server.close()


def get(server, path):
    try:
        with urllib.request.urlopen(f"http://{server.address}{path}", timeout=5) as reply:
            return reply.status, reply.headers["Content-Type"], reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def test_metrics_are_brought_up_to_date_when_they_are_read(monitoring):
    server, _, refreshed = monitoring
    status, kind, text = get(server, "/metrics")
    assert status == 200
    assert kind.startswith("text/plain; version=")
    assert "cp247_arrivals_total" in text
    assert refreshed == [1]


def test_livez_says_the_process_lives(monitoring):
    assert get(monitoring[0], "/livez")[::2] == (200, "ok\n")


def test_readyz_names_what_is_missing(monitoring):
    server, state, _ = monitoring
    assert get(server, "/readyz")[0] == 200
    state["database"] = False
    status, _, text = get(server, "/readyz")
    assert status == 503
    assert json.loads(text) == {"database": False}


def test_other_paths_are_not_found(monitoring):
    assert get(monitoring[0], "/")[0] == 404
