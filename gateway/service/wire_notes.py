"""What is said of a refusal or a fault on the wire: counted by its reply code, logged without addresses of third parties."""

from collections.abc import Callable, Mapping

from gateway import log


def note_wire(direction: str, count: Callable[[str], None], event: str, facts: Mapping[str, object]) -> None:
    """Log the event, and `count` its reply code, or `fault` where there was none."""
    code = str(facts.get("reply", ""))[:3]
    count(code or "fault")
    shown = {key: value for key, value in facts.items() if key in ("peer", "error")}
    log.note(event, direction=direction, code=code, **shown)
