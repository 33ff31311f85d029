"""Messages that ask in other words, letters and shapes than a plain letter does (ATTACKS 8, rows C7 to C9 and C11)."""

from collections.abc import Callable

from forms import EMPTY, TICKED, file, preservation_form
from letters import PRESERVE, THANKS, dkim, mail, multipart, part, text

HTML_FORM = """\
<h2>T-CY(2018)11</h2><p>Data Preservation Request under Articles 29 and 30 of the Budapest Convention on Cybercrime</p>
<table><tr><td>Reference / case number</td><td>BX-2026/4471</td></tr>
<tr><td>Request status</td><td><p><input type="checkbox"{new}> new request</p><p><input type="checkbox"{extension}> extension of previous request</p></td></tr>
<tr><td>Data to be preserved</td><td>all stored computer data of the account r.finch@mailbridge.example</td></tr></table>
"""
FRENCH = """\
Madame, Monsieur,

nous demandons la conservation rapide de données informatiques stockées, au titre de l'article 29 de la Convention de Budapest,
pour le compte r.finch@mailbridge.example. Une demande d'entraide suivra.

L'officier de permanence, Police nationale de Bordurie
"""
DISCLAIMERS = """\

This message is confidential. If you are not the intended recipient you must not request expedited preservation of stored computer data.

Ce message est confidentiel. Si vous n'êtes pas le destinataire, ne demandez pas la conservation rapide de données informatiques stockées.
"""


def honest(words: str, *, kind: str = "text/plain; charset=utf-8") -> bytes:
    return dkim(mail(text(words, kind=kind)))


def html_form(new: str, extension: str) -> bytes:
    return honest(HTML_FORM.format(new=new, extension=extension), kind="text/html; charset=utf-8")


def bare(words: str) -> str:
    """Capitals as old machines write them: no accents."""
    return words.upper().translate(str.maketrans("ÀÂÇÉÈÊÎÏÔÛÙ", "AACEEEIIOUU"))


MESSAGES: dict[str, Callable[[], bytes]] = {
    "form-html-new": lambda: html_form(" checked", ""),
    "form-html-extension": lambda: html_form("", " checked"),
    "form-forwarded": lambda: dkim(
        mail(
            multipart(
                "mixed",
                text(THANKS),
                part(
                    "message/rfc822",
                    mail(
                        multipart(
                            "mixed",
                            text("See the form.\n"),
                            file(
                                preservation_form(new=TICKED, extension=EMPTY), "application/octet-stream", "form.docx"
                            ),
                            boundary="=-c-=",
                        )
                    ),
                ),
            )
        )
    ),
    "forwarded-inline": lambda: honest(
        "For your kind attention.\n\n---------- Forwarded message ---------\nFrom: Cybercrime unit\nSubject: data\n\n"
        + PRESERVE
    ),
    "footer-two-disclaimers": lambda: honest(THANKS + DISCLAIMERS),
    "letters-french": lambda: honest(FRENCH),
    "letters-french-capitals": lambda: honest(bare(FRENCH)),
    "letters-turkish-capital-i": lambda: honest(
        PRESERVE.replace("preservation", "PRESERVATİON").replace("preserve", "PRESERVE")
    ),
    "words-repeated": lambda: honest(THANKS + "preserve the " * 2000 + "museum\n"),
}
