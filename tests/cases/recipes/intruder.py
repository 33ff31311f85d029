"""Letters from a contact's own mailbox, proved and yet odd: what intruders write, each beside what colleagues write."""

from collections.abc import Callable

from letters import EMERGENCY, PRESERVE, SUBSCRIBER, dkim, mail, text


def honest(words: str) -> bytes:
    return dkim(mail(text(words)))


def with_line(words: str, line: str) -> bytes:
    """The letter with one line more in front of who signs it."""
    return honest(words.replace("Duty officer", f"{line}\n\nDuty officer"))


MESSAGES: dict[str, Callable[[], bytes]] = {
    "intruder-number": lambda: with_line(EMERGENCY, "Call us back at +44 20 7946 0958."),
    "intruder-number-of-directory": lambda: with_line(EMERGENCY, "Call us back at +000 1 234 567."),
    "intruder-free-mail": lambda: mail(text(), From="Police of Borduria <247cp.police.borduria@gmail.com>"),
    "intruder-answer-elsewhere": lambda: with_line(
        SUBSCRIBER, "Our mail server is down: send your answer to desk.borduria@post.example."
    ),
    "intruder-answer-same-office": lambda: with_line(
        SUBSCRIBER, "Our mailbox is full: send your answer to desk@police.gov.b.example."
    ),
    "intruder-link": lambda: with_line(SUBSCRIBER, "You can download the order at https://files.post.example/r/7731 ."),
    "intruder-link-same-office": lambda: with_line(
        SUBSCRIBER, "You can download the order at https://files.police.gov.b.example/r/7731 ."
    ),
    "intruder-foreign-law": lambda: with_line(PRESERVE, "Legal basis: 18 U.S.C. 2703(f)."),
    "intruder-home-law": lambda: with_line(PRESERVE, "Legal basis: section 12 of our Code of Criminal Procedure."),
    "intruder-content": lambda: with_line(EMERGENCY, "Send us the chat history of the last two days, too."),
    "intruder-content-no-emergency": lambda: with_line(SUBSCRIBER, "The chat history is asked for by the usual way."),
}
