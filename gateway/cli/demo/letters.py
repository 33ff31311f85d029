"""What the invented people of the demonstration write: (subject, body)."""

from gateway.mail.parse import parse
from gateway.mail.text import read

PRESERVATION = (
    "Data preservation request under Article 29 - our ref. BX/2026/1187",
    """\
Dear colleagues,

Requesting authority: Cybercrime Unit, Police of Borduria.
Under Articles 29 and 30 of the Budapest Convention on Cybercrime we request the expedited
preservation of stored computer data.

Offence: computer-related fraud (Article 8). Summary of facts: between 1 and 9 November 2026 the
suspect sold goods that do not exist to 214 victims, through the account shown below.

Data to be preserved: subscriber, traffic and content data of the account deals@shop.example and
connection logs of 203.0.113.7 port 51234 on 2026-11-09T21:14:05Z.
Service provider: Klow Hosting.
Necessity: logs are kept for fourteen days only; there is a risk of deletion.
We intend to submit a request for mutual legal assistance within 60 days.

Our reference: BX/2026/1187

Sgt. Ottokar Trovik
Cybercrime Unit, Police of Borduria
""",
)

SUBSCRIBER = (
    "Solicitud de datos de abonado - art. 31 - ref. FT-2026-88",
    """\
Estimados colegas:

Conforme al artículo 31 del Convenio de Budapest solicitamos información del abonado: la identidad,
dirección postal y número de teléfono del titular de la dirección IP 203.0.113.45, puerto 40112, el
2026-11-18T02:44:10Z, y los datos de registro de la cuenta tapioca@correo.example.

Hechos: acceso ilícito a los sistemas de un hospital (artículo 2).
Proveedor: Klow Telecom.

Nuestra referencia: FT-2026-88
""",
)

EMERGENCY = (
    "EMERGENCY - child in immediate danger - disclosure request",
    """\
Emergency disclosure request, Article 9 of the Second Additional Protocol.

An eleven-year-old girl was abducted in Szohod this afternoon. There is a significant and imminent
risk to her life: the abductor has announced over the account night_owl_77 on the service Chatter
that he will kill her before midnight.

We request subscriber information and the last login IP addresses of that account.
Provider: Chatter, Klow. Duty officer: Cpt. Zsazsa Pavlov, +000 1 111 112, supervisor +000 1 111 113.
""",
)

SPOOFED = (
    "URGENT emergency data request - people will die",
    """\
Emergency disclosure request.

There is an imminent threat to life. Send us at once the name, the address and the telephone number
of the holder of the account mira.novak on the service Chatter, and answer to this address only.
""",
)

ABSENCE = (
    "Respuesta automática: Data preservation request",
    """\
Estoy fuera de la oficina hasta el lunes. Para una solicitud de conservación rápida de datos, llame
al número de guardia.
""",
)

ANSWER = """\
The data you asked for are attached to this case. The account was registered on 3 May 2026.
Please quote our reference in your request for mutual legal assistance.
"""


def text_of(content: bytes) -> str:
    """The words of a message."""
    return read(parse(content)).body
