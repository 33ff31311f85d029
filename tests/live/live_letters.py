"""What people write in the live tests: (subject, body)."""

PRESERVATION = (
    "Data preservation request - our ref. BX/2026/1187",
    """\
Dear colleagues,

under Articles 29 and 30 of the Budapest Convention on Cybercrime we request the expedited
preservation of stored computer data.

Offence: computer-related fraud. Facts: the suspect sold goods that do not exist.
Data: traffic and content data of deals@shop.example, logs of 203.0.113.7 port 51234.
. This line begins with a dot.
Our reference: BX/2026/1187
Sgt. Ottokar Trovik, Klow – Bordurie
""",
)

SUBSCRIBER = (
    "Request for subscriber information - ref. FT-2026-88",
    """\
Dear colleagues,

we request subscriber information under Article 31: identity, postal address and telephone number of
the holder of the IP address 203.0.113.45, port 40112, on 2026-11-18T02:44:10Z.

Our reference: FT-2026-88
""",
)

EMERGENCY = (
    "EMERGENCY - child in immediate danger - disclosure request",
    """\
Emergency disclosure request.

An eleven-year-old girl was abducted this afternoon. There is a significant and imminent risk to her
life. We request subscriber information of the account night_owl_77.
""",
)

ANSWER = "The account was registered on 3 May 2026. Please quote our reference.\n"


def answer(*, mailbox: str, to: str, request_id: str, cc: str = "") -> bytes:
    """An officer's reply as mail clients write it, client and all."""
    fields = {
        "Received": "from laptop-17.duty.institution.gov.example (laptop-17 [10.1.2.3]) by nowhere.example",
        "From": f"24/7 Contact Point <{mailbox}>",
        "To": to,
        "Cc": cc,
        "Subject": "Re: your request",
        "Date": "Sat, 21 Nov 2026 12:00:00 +0000",
        "In-Reply-To": request_id,
        "References": request_id,
        "User-Agent": "Some Client 17.3",
        "X-Originating-IP": "10.1.2.3",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
    }
    header = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return (header + "\r\n" + ANSWER.replace("\n", "\r\n")).encode()
