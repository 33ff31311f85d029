"""The institution as it stands behind its firewall: Postfix in front and for submission, the gateway, Dovecot; and the Internet.

Everything runs on loopback from the snippets of deploy/, with their ports and paths filled in.
"""

import contextlib
import imaplib
import smtplib
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from certificate import make_certificate
from counterpart import Counterpart, field
from gnupg_keys import primary_of
from mail_servers import Dovecot, Postfix, Sink
from ports import free_port, wait_until
from running import Running, cp247
from shipped import options, settings, shipped

from gateway.cli.demo.stub_dns import StubDns

MAILBOX = "247cp@institution.gov.example"
OFFICER = "duty@institution.gov.example"
PASSWORD = "not-a-secret"
NOBODY = "nobody-here@institution.gov.example"
"""An address that Postfix hands to the gateway and the gateway does not know."""
STRANGER = "203.0.113.66"
"""An address no zone names."""


@dataclass
class Institution:
    """What a test may do: write as the Internet, press Send as the officer, look at mailbox, sink and log."""

    folder: Path
    counterpart: Counterpart
    unreachable: Counterpart
    """A contact point whose own mailbox refuses everything."""
    dovecot: Dovecot
    sink: Sink
    postfix: Postfix
    gateway: Running
    mx: int
    submission: int
    submissions: int

    @property
    def key(self) -> bytes:
        """The gateway's public key, exported by gpg as it is published."""
        home = self.gateway.folder / "state" / "gnupg"
        command = ["gpg", "--homedir", str(home), "--batch", "--armor", "--export", MAILBOX]
        return subprocess.run(command, capture_output=True, check=True).stdout

    @property
    def fingerprint(self) -> str:
        return primary_of(self.key)

    @property
    def zone(self) -> dict[str, list[dict[str, str]]]:
        """What the institution publishes: the line `cp247 init` told it to."""
        name, _, text = (self.gateway.folder / "state" / "dkim.txt").read_text().strip().partition(". TXT ")
        return {name: [{"TXT": text}]}

    def receive(
        self,
        content: bytes,
        *,
        sender: Counterpart | None = None,
        peer: str = "",
        rcpt_tos: tuple[str, ...] = (MAILBOX,),
    ) -> None:
        """A mail server of that address, by default the sender's own, hands the mail to our Postfix (XCLIENT plays it)."""
        sender = sender or self.counterpart
        with smtplib.SMTP("127.0.0.1", self.mx, timeout=30) as client:
            client.ehlo("mail.example")
            code, text = client.docmd("XCLIENT", f"ADDR={peer or sender.peer} NAME=[UNAVAILABLE]")
            assert code == 220, text
            client.ehlo(f"mail.{sender.domain}")
            assert client.sendmail(sender.mailbox, rcpt_tos, content) == {}

    def submit(self, content: bytes, *, rcpt_tos: tuple[str, ...], login: tuple[str, str] = (OFFICER, PASSWORD)) -> str:
        """Press Send in a client that speaks STARTTLS and logs in; the reply that settles it."""
        with smtplib.SMTP("127.0.0.1", self.submission, timeout=60) as client:
            client.starttls(context=_any_certificate())
            client.login(*login)
            client.mail(MAILBOX)
            for one in rcpt_tos:
                code, text = client.rcpt(one)
                if code >= 400:
                    return f"{code} {text.decode()}"
            code, text = client.data(content)
            return f"{code} {text.decode()}"

    def mails(self, *, folder: str = "INBOX", about: bytes = b"") -> list[tuple[set[str], bytes]]:
        """(flags, bytes) of the mails in the mailbox that contain those bytes, as IMAP shows them."""
        with _imap(self.dovecot.imap) as client:
            done, count = client.select(folder, readonly=True)
            if done != "OK" or count == [b"0"]:
                return []
            _, found = client.fetch("1:*", "(FLAGS BODY.PEEK[])")
            mails = [one for one in found if isinstance(one, tuple)]
        flagged = [(set(imaplib.ParseFlags(head)), content) for head, content in mails]
        return [({flag.decode() for flag in flags}, content) for flags, content in flagged if about in content]

    def delivered(self, content: bytes, *, folder: str = "INBOX", seconds: float = 30) -> tuple[set[str], bytes]:
        """Flags and bytes of the delivered form of that mail."""
        about = field(content, "Message-ID").encode()

        def without_cards() -> list[tuple[set[str], bytes]]:
            mails = self.mails(folder=folder, about=about)
            return [one for one in mails if field(one[1], "Auto-Submitted") != "auto-notified"]

        found = wait_until(without_cards, seconds=seconds, what="delivery")
        assert len(found) == 1
        return found[0]

    def left(self, about: str, *, seconds: float = 30) -> bytes:
        """The mail the Internet got that names this Message-ID, with the line ends it had on the wire."""

        def found() -> bytes | None:
            return next((one for one in self.sink.messages() if about.encode() in one), None)

        return wait_until(found, seconds=seconds, what="a mail to the Internet").replace(b"\n", b"\r\n")

    def receipt(self, request: bytes) -> bytes:
        return self.left(f"In-Reply-To: {field(request, 'Message-ID')}")


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextlib.contextmanager
def _imap(port: int) -> Iterator[imaplib.IMAP4]:
    client = imaplib.IMAP4("127.0.0.1", port, timeout=30)
    try:
        client.login(MAILBOX, PASSWORD)
        yield client
    finally:
        client.logout()


@contextlib.contextmanager
def institution(folder: Path, *, inbound: str, database: str | None = None) -> Iterator[Institution]:
    """Everything running; `inbound` is the folder of deploy/postfix that brings mail to the gateway."""
    counterpart = Counterpart("247cp@police.gov.b.example", "192.0.2.10", folder / "counterpart")
    unreachable = Counterpart("247cp@closed.example", "192.0.2.11", folder / "unreachable")
    gateway_in, gateway_out, relay, mx, submission, submissions = ports = [free_port() for _ in range(6)]
    assert len(set(ports)) == len(ports)
    with contextlib.ExitStack() as stack:
        dns = stack.enter_context(StubDns(counterpart.zone | unreachable.zone))
        sink = stack.enter_context(Sink())
        dovecot = stack.enter_context(Dovecot(dict.fromkeys((MAILBOX, OFFICER), PASSWORD)))
        postfix = stack.enter_context(
            _postfix(
                folder, inbound, dovecot, sink, ports=(gateway_in, gateway_out, relay, mx, submission, submissions)
            )
        )
        for one in (counterpart, unreachable):
            stack.callback(one.key.end)
        gateway = Running(
            folder / "gateway",
            **settings(
                shipped(f"postfix/{inbound}/gateway.yaml", {":10023": f":{gateway_in}", ":24": f":{dovecot.lmtp}"})
            ),
            **settings(
                shipped("postfix/submission/gateway.yaml", {":10025": f":{gateway_out}", ":10026": f":{relay}"})
            ),
            **{"dns.nameservers": [dns.nameserver], "dns.timeout": 2},
            **({"database": database} if database else {}),
        )
        for one in (counterpart, unreachable):
            enrol(gateway, one)
        found = Institution(
            folder, counterpart, unreachable, dovecot, sink, postfix, gateway, mx, submission, submissions
        )
        dns.publish(counterpart.zone | unreachable.zone | found.zone)
        stack.enter_context(gateway)
        yield found


def _postfix(folder: Path, inbound: str, dovecot: Dovecot, sink: Sink, *, ports: tuple[int, ...]) -> Postfix:
    gateway_in, gateway_out, relay, mx, submission, submissions = ports
    certificate, key = (Path(one).read_text() for one in make_certificate(folder))
    submission_services = shipped(
        "postfix/submission/master.cf",
        {
            "\n587  ": f"\n127.0.0.1:{submission}  ",
            "\n465  ": f"\n127.0.0.1:{submissions}  ",
            "127.0.0.1:10025": f"127.0.0.1:{gateway_out}",
            "127.0.0.1:10026": f"127.0.0.1:{relay}",
        },
    )
    nobody = shipped(f"postfix/{inbound}/transport_cp247").split()[-1].replace("10023", str(gateway_in))
    return Postfix(
        main={
            **options(shipped(f"postfix/{inbound}/main.cf")),
            **options(shipped("postfix/submission/main.cf", {"private/auth": dovecot.sasl})),
            "relay_domains": "institution.gov.example",
            "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
            "smtpd_authorized_xclient_hosts": "127.0.0.0/8",
            "default_transport": f"smtp:[127.0.0.1]:{sink.port}",
        },
        services=f"127.0.0.1:{mx} inet n - n - - smtpd\n"
        + shipped(f"postfix/{inbound}/master.cf")
        + submission_services,
        ports=(mx, submission, submissions, relay),
        files={
            "transport_cp247": shipped(f"postfix/{inbound}/transport_cp247", {":10023": f":{gateway_in}"})
            + "/@closed\\.example$/ error:5.1.1 this mailbox is closed\n"
            + f"/^nobody-here@/ {nobody}\n",
            "sender_logins": shipped("postfix/submission/sender_logins"),
            "submission.pem": certificate,
            "submission.key": key,
        },
    )


def enrol(gateway: Running, counterpart: Counterpart) -> None:
    """Pin its key, as an administrator does after a telephone call."""
    path = counterpart.folder / "public.asc"
    path.write_bytes(counterpart.key.armored)
    done = cp247(
        "keys", "add", counterpart.mailbox, str(path), "--name", "Police of Borduria", "--country", "BX",
        "--folder", counterpart.domain.replace(".", "-"), "--phone", "+000 1", "--verified-how", "telephone call",
        "--enrolled-by", "test", config=gateway.config, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
