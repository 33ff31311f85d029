"""Finds in an officer's answer what the network's 2017 report names a bad practice. Never stops a mail: a human reads a line."""

from gateway.model.message import Text
from gateway.triage.matcher import compile_terms
from gateway.triage.normal import fold


def sends_to_mla_first(text: Text, phrases: tuple[str, ...]) -> bool:
    """Whether it tells a requester to ask for mutual assistance first, by phrases of the rules; what is quoted does not count."""
    return bool(compile_terms(phrases, ()).spans(fold(text.body)))
