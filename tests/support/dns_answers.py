"""DNS answers without a server, for tests of what is made of them."""

from gateway.model.trust import DnsAnswer
from gateway.trust.resolver import Questions

Published = dict[str, list]
"""A zone as the stub server takes it; only TXT is answered."""


def answers(published: Published) -> list[DnsAnswer]:
    """Zone as recorded answers: TXT only, a word such as SERVFAIL is temperror."""
    found = []
    for name, records in published.items():
        given = [one if isinstance(one, str) else one["TXT"] for one in records if isinstance(one, str) or "TXT" in one]
        values = tuple("".join(one) for one in given)
        failed = any(one in {"SERVFAIL", "TIMEOUT"} for one in values)
        found.append(DnsAnswer(name.lower(), "TXT", "temperror" if failed else "answer", () if failed else values))
    return found


def nothing_else(published: Published) -> Questions:
    """Questions of one message answered from the zone; every other name does not exist."""
    known = {one.name: one for one in answers(published)}
    return Questions(lambda name, rdtype, _left: known.get(name) or DnsAnswer(name, rdtype, "nxdomain"))
