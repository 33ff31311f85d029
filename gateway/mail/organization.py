"""Which organisation a domain belongs to, by the public suffix list: good enough to compare names; DMARC walks the DNS instead."""

from functools import cache
from typing import Any

from publicsuffixlist import PublicSuffixList


def organization(domain: str) -> str:
    """The domain one label below its public suffix, or the domain itself where it has no such label."""
    return _suffixes().privatesuffix(domain) or domain


@cache
def _suffixes() -> Any:
    return PublicSuffixList()
