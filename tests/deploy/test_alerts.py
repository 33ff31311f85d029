"""What operators are given holds together: rules, metrics, log events, unit and deploy/README.md name the same things."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import Histogram
from ruamel.yaml import YAML

from gateway import metrics

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "cp247.rules.yml"
GUIDE = (DEPLOY / "README.md").read_text(encoding="utf-8")
HISTOGRAM = ("_bucket", "_sum", "_count")


def alerts() -> list[dict[str, object]]:
    document = YAML(typ="safe").load(RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def series() -> set[str]:
    """Names Prometheus sees: counters end in _total, an info in _info."""
    found = set()
    for one in metrics.REGISTRY.collect():
        suffix = {"counter": ("_total",), "info": ("_info",), "histogram": HISTOGRAM}.get(one.type, ("",))
        found |= {one.name + end for end in suffix}
    return found


def families() -> list[str]:
    """One name for each metric, as deploy/README.md writes it."""
    names = (one._name for one in vars(metrics).values() if isinstance(one, Histogram))
    return sorted({name for name in series() if not name.endswith(HISTOGRAM)} | set(names))


def events() -> set[str]:
    """Every event word that the code can log."""
    logged = re.compile(r'\b(?:log\.(?:note|alarm)|_door\.note)\(\s*"([a-z-]+)"')
    return {
        word for file in (ROOT / "gateway").rglob("*.py") for word in logged.findall(file.read_text(encoding="utf-8"))
    }


def promtool(*arguments: str) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    result = subprocess.run(
        ["promtool", *arguments], cwd=RULES.parent, capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_promtool_accepts_the_rules():
    promtool("check", "rules", RULES.name)


def test_each_alert_fires_when_it_should_and_only_then():
    promtool("test", "rules", "cp247.rules.test.yml")


def test_each_alert_is_tested_to_fire_and_to_keep_quiet():
    text = (DEPLOY / "prometheus" / "cp247.rules.test.yml").read_text(encoding="utf-8")
    for rule in alerts():
        assert f"alertname: {rule['alert']}}}" in text, f"{rule['alert']} is never tested to keep quiet"
        assert f"alertname: {rule['alert']}\n        exp_alerts:" in text, f"{rule['alert']} is never tested to fire"


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_each_metric_of_an_alert_exists(rule):
    named = set(re.findall(r"\bcp247_[a-z_]+", str(rule["expr"])))
    assert named <= series()
    assert named or "up{" in str(rule["expr"])


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_each_alert_has_its_paragraph(rule):
    found = re.search(rf"(?ms)^#### {rule['alert']}\n(.*?)(?=^#|\Z)", GUIDE)
    assert found, f"deploy/README.md has no paragraph on {rule['alert']}"
    assert all(word in found[1] for word in ("**Means**", "**Likely**", "**First**"))
    assert len(re.findall(r"`[^`]+`", found[1].partition("**First**")[2])) >= 3


def test_no_paragraph_is_left_of_an_alert_that_is_gone():
    assert set(re.findall(r"(?m)^#### (Cp247\w+)$", GUIDE)) == {rule["alert"] for rule in alerts()}


def test_every_metric_is_explained():
    assert [name for name in families() if f"`{name}" not in GUIDE] == []


def test_every_log_event_is_explained():
    table = GUIDE.partition("## 9. Log events")[2].partition("## 10.")[0]
    first_cells = re.findall(r"(?m)^\| (`.*?) \|", table)
    assert set(re.findall(r"`([a-z-]+)`", " ".join(first_cells))) == events()


def test_the_unit_is_sound(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian package systemd)")
    unit = tmp_path / "cp247.service"
    text = (DEPLOY / "systemd" / "cp247.service").read_text(encoding="utf-8")
    assert "/opt/cp247/bin/cp247 serve" in text
    unit.write_text(text.replace("/opt/cp247/bin/cp247", "/bin/true"), encoding="utf-8")
    result = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@pytest.mark.parametrize(
    "page",
    sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "README.md", *DEPLOY.rglob("*.md"))),
)
def test_every_link_leads_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    assert [link for link in targets if not ((ROOT / page).parent / link).exists()] == []
