"""What Prometheus reads: counters, gauges and histograms of one registry; labels come from closed sets only.

Never an address, a case reference or a word of a message as label.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
    generate_latest,
)

disable_created_metrics()  # type: ignore[no-untyped-call] # the library leaves it untyped

REGISTRY = CollectorRegistry()

ARRIVALS = Counter(
    "cp247_arrivals", "Messages committed and answered with 250, by door.", ["source"], registry=REGISTRY
)
REFUSALS = Counter(
    "cp247_refusals", "Refusals before 250, by direction and reply code.", ["direction", "code"], registry=REGISTRY
)
VERDICTS = Counter(
    "cp247_verdicts",
    "Judged arrivals, by category, assurance and disposition.",
    ["category", "assurance", "disposition"],
    registry=REGISTRY,
)
REASONS = Counter("cp247_reasons", "Reasons given in verdicts.", ["reason"], registry=REGISTRY)
VERIFICATIONS = Counter(
    "cp247_verifications", "Results of checks, one per signature.", ["method", "result"], registry=REGISTRY
)
RECEIPTS = Counter(
    "cp247_receipts", "Receipts sent, or withheld with the reason.", ["category", "result"], registry=REGISTRY
)
RECEIPTS_WITHHELD = Gauge(
    "cp247_receipts_withheld",
    "Receipts of proved senders that did not leave and wait for a human's word.",
    registry=REGISTRY,
)
RECEIPT_DELAY = Histogram(
    "cp247_receipt_delay_seconds",
    "Time from acceptance of a request to the relay taking its receipt.",
    buckets=(0.1, 0.3, 1, 3, 10, 60, 300, 900, 3600),
    registry=REGISTRY,
)
JUDGE_SECONDS = Histogram(
    "cp247_judge_seconds",
    "Time to judge one arrival.",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20),
    registry=REGISTRY,
)
JUDGE_FAILURES = Counter(
    "cp247_judge_failures", "Judges that had to be killed or died over a message.", ["cause"], registry=REGISTRY
)
JUDGES = Gauge("cp247_judges", "Judge processes alive.", registry=REGISTRY)
DECISIONS = Counter(
    "cp247_channel_decisions",
    "Decisions over outgoing mail, by outcome and rule.",
    ["decision", "rule"],
    registry=REGISTRY,
)
DELIVERIES = Counter(
    "cp247_deliveries", "Attempts of the courier, by purpose and fate.", ["purpose", "fate"], registry=REGISTRY
)
QUEUE = Gauge("cp247_queue_messages", "Messages waiting, by queue.", ["queue"], registry=REGISTRY)
QUEUE_OLDEST = Gauge(
    "cp247_queue_oldest_age_seconds", "Age of the oldest message waiting, by queue.", ["queue"], registry=REGISTRY
)
HOLDS = Gauge("cp247_hold_messages", "Answers to recipients that are held for a human.", registry=REGISTRY)
HOLD_OLDEST = Gauge("cp247_hold_oldest_age_seconds", "Age of the oldest held answer.", registry=REGISTRY)
EXCEPTIONS = Gauge("cp247_exceptions_active", "Exceptions that could be used now.", registry=REGISTRY)
MODE = Gauge("cp247_outbound_mode", "1 for the mode in which the outward rule is applied.", ["mode"], registry=REGISTRY)
CALL_OLDEST = Gauge(
    "cp247_page_oldest_age_seconds", "Age of the oldest page of its own that has reached nobody yet.", registry=REGISTRY
)
CASES_OPEN = Gauge("cp247_cases_open", "Cases without an answer, by category.", ["category"], registry=REGISTRY)
UNANSWERED_OLDEST = Gauge(
    "cp247_oldest_unanswered_seconds",
    "Time the oldest case has waited for a human's answer, by category; 0 where none waits.",
    ["category"],
    registry=REGISTRY,
)
CLOCKS_OVERDUE = Gauge(
    "cp247_clocks_overdue", "Cases in which a clock is over, by clock.", ["clock"], registry=REGISTRY
)
PRESERVATION_END = Gauge(
    "cp247_preservation_end_timestamp_seconds",
    "When the preservation that ends first ends, or has ended without anybody's word; 0 where nothing is preserved.",
    registry=REGISTRY,
)
FIRST_ANSWER = Histogram(
    "cp247_time_to_first_answer_seconds",
    "Time from a request, or a later message that asks again, to the first answer that leaves.",
    buckets=(60, 300, 900, 3600, 14_400, 28_800, 86_400, 108_000, 259_200),
    registry=REGISTRY,
)
UNACCOUNTED = Gauge(
    "cp247_unaccounted_deliveries",
    "Accepted (message, recipient) pairs that are neither delivered nor queued; anything but 0 is a loss.",
    registry=REGISTRY,
)
PAGES = Counter("cp247_pages", "Pages to the duty officer, by result.", ["result"], registry=REGISTRY)
KEY_EXPIRY = Gauge(
    "cp247_key_expiry_timestamp_seconds",
    "When the last key of an owner ends, subkeys included, by use; absent when never.",
    ["owner", "use"],
    registry=REGISTRY,
)
CONTACT_EXPIRY = Gauge(
    "cp247_contact_expiry_timestamp_seconds",
    "When the entry of a contact ends (valid_until); absent when never.",
    ["owner"],
    registry=REGISTRY,
)
RULESET = Info("cp247_ruleset", "Digest of the active rules.", registry=REGISTRY)
RULES_STALE = Gauge(
    "cp247_rules_stale", "1 while the rules on disk are broken and an older set judges.", registry=REGISTRY
)
SHADOW = Counter(
    "cp247_shadow_verdicts",
    "Mails judged by the rule set in shadow too, by what came of it.",
    ["result"],
    registry=REGISTRY,
)
CONTACTS = Gauge("cp247_contacts", "Contacts of the directory, by state.", ["state"], registry=REGISTRY)
DEPENDENCY = Gauge("cp247_dependency_up", "Whether what the gateway needs answers.", ["dependency"], registry=REGISTRY)
BUILD = Info("cp247_build", "Version of the gateway.", registry=REGISTRY)


def exposition() -> bytes:
    """Everything in the text format Prometheus reads."""
    return generate_latest(REGISTRY)
