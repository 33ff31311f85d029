"""Makes the edges of the two roads out of an equipment: DNS, gpg, our own keys."""

from datetime import datetime

from gateway.model.message import Envelope, Message, Text
from gateway.model.settings import Dns
from gateway.model.trust import Checks, Contact, DnsAnswer, Unsealed
from gateway.pipeline.tools import Check, Tools
from gateway.service.equipment import Equipment, own_key
from gateway.triage.classify import classify
from gateway.triage.rule_tree import RuleTree
from gateway.triage.ruleset import Ruleset, compile_ruleset, parse_tree
from gateway.trust.arc import check_arc
from gateway.trust.directory import book_of, signers_of
from gateway.trust.dkim_check import check_dkim
from gateway.trust.dmarc import check_dmarc
from gateway.trust.gnupg_home import GnupgHome
from gateway.trust.in_process import InProcess
from gateway.trust.lookalike import known_names
from gateway.trust.openpgp import unseal
from gateway.trust.resolver import Recorded, Resolver
from gateway.trust.seal import Sealer
from gateway.trust.spf_check import check_spf

GPG_SECONDS = 8.0
"""For one question to gpg. With DNS silent too it is less than a judge has: gpg that hangs puts a message off, it defeats no judge."""


def make_tools(equipment: Equipment, tree: RuleTree | None = None) -> Tools:
    """Tools of one judge; with `tree` the rules of the equipment are not read again."""
    settings = equipment.settings
    home = GnupgHome(settings.openpgp.home, timeout=GPG_SECONDS)
    signers = signers_of(equipment.directory)
    in_process = InProcess() if settings.openpgp.in_process else None

    def open_sealed(message: Message, contact: Contact | None, at: datetime) -> Unsealed:
        return unseal(message, contact=contact, signers=signers, home=home, at=at, in_process=in_process)

    sealer = Sealer(home=home, signing_key=settings.openpgp.signing_key, dkim=settings.dkim)
    ruleset = compile_ruleset(tree or parse_tree(equipment.rules))
    _rehearse(ruleset, sealer)
    return Tools(
        settings=settings,
        secret=equipment.secret,
        ruleset=ruleset,
        book=book_of(equipment.directory),
        contacts={contact.id: contact for contact in equipment.directory.contacts},
        known=known_names(
            equipment.directory.contacts, own=(*settings.mailboxes, *settings.contact_point.internal_domains)
        ),
        own_keys=frozenset(name for key in own_key(home, settings) for name in (key.fingerprint, *key.subkeys)),
        check=make_check(settings.dns, trusted_sealers=settings.arc.trusted_sealers),
        unseal=open_sealed,
        seal=sealer,
    )


def _rehearse(ruleset: Ruleset, sealer: Sealer) -> None:
    """Do now what the first message would wait a third of a second for: judges are forked from here, and share it."""
    classify(Text(body="."), ruleset=ruleset, kind=None, own_addresses=(), sender_domain=None, encrypted=False)
    sealer.prepare()


def make_check(dns: Dns, *, trusted_sealers: tuple[str, ...] = ()) -> Check:
    """EDGE dns through these resolvers, with a cache of its own."""
    return _check(Resolver(nameservers=dns.nameservers, timeout=dns.timeout), trusted_sealers)


def recorded_check(answers: tuple[DnsAnswer, ...], *, trusted_sealers: tuple[str, ...]) -> Check:
    """The same from answers kept with a verdict: nobody is asked, so years later they still say what they said then."""
    return _check(Recorded(answers), trusted_sealers)


def _check(source: Resolver | Recorded, trusted_sealers: tuple[str, ...]) -> Check:
    def check(message: Message, envelope: Envelope, at: datetime) -> Checks:
        questions = source.for_message()
        spf = check_spf(envelope, questions=questions, at=at)
        dkim = check_dkim(message, questions=questions, at=at)
        dmarc = check_dmarc(message, spf=spf, dkim=dkim, questions=questions)
        arc = check_arc(message, questions=questions, trusted_sealers=trusted_sealers)
        return Checks(results=(spf, *dkim, dmarc, arc), dns=questions.answers)

    return check
