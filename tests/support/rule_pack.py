"""The small rule tree of tests/triage/data/pack, as files and parsed; nothing of it comes from the shipped rules."""

from functools import cache
from pathlib import Path

from gateway.model.message import Text
from gateway.model.verdict import Classification, Kind, RuleFiles
from gateway.triage.classify import classify
from gateway.triage.ruleset import Ruleset, parse_ruleset

FOLDER = Path(__file__).parent.parent / "triage" / "data" / "pack"
OWN = ("247cp@institution.gov.a.example",)
SENDER_DOMAIN = "police.gov.b.example"


@cache
def pack_files() -> dict[str, bytes]:
    return {str(path.relative_to(FOLDER)): path.read_bytes() for path in sorted(FOLDER.rglob("*")) if path.is_file()}


def rule_files(changes: dict[str, bytes | None] | None = None) -> RuleFiles:
    """The pack with some files replaced, or left out where the change is None."""
    files = {**pack_files(), **(changes or {})}
    return RuleFiles(tuple((path, content) for path, content in files.items() if content is not None))


@cache
def pack() -> Ruleset:
    return parse_ruleset(rule_files())


def with_rules(rules: str, *, scoring: bytes | None = None) -> Ruleset:
    """A rule set of the pack whose English rules are these lines of YAML, each a rule in flow style."""
    head = pack_files()["phrases/en.yaml"].decode().partition("rules:")[0]
    danger = "  - {id: t.danger, category: emergency, phrases: [zzdanger], marks: [danger], why: test}\n"
    request = "  - {id: t.request, category: emergency, phrases: [zzrequest], marks: [request], why: test}\n"
    lines = "".join(f"  - {line.strip()}\n" for line in rules.strip().splitlines())
    changes: dict[str, bytes | None] = {"phrases/en.yaml": f"{head}rules:\n{danger}{request}{lines}".encode()}
    if scoring is not None:
        changes["scoring.yaml"] = scoring
    return parse_ruleset(rule_files(changes))


def judge(
    text: Text, *, ruleset: Ruleset | None = None, kind: Kind | None = None, encrypted: bool = False
) -> Classification:
    """Classification of the text as a mail from a police of country B to us."""
    return classify(
        text,
        ruleset=ruleset or pack(),
        kind=kind,
        own_addresses=OWN,
        sender_domain=SENDER_DOMAIN,
        encrypted=encrypted,
    )


def hit_rules(found: Classification) -> set[str]:
    return {hit.rule for hit in found.hits}
