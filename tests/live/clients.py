"""Officers' mail clients as they are: what the person at the keyboard reads after pressing Send."""

import os
import subprocess
from pathlib import Path

from institution import MAILBOX, OFFICER, PASSWORD, Institution


def swaks(site: Institution, mail: Path, *, rcpt_tos: tuple[str, ...]) -> str:
    """The dialogue of swaks through the submission service; openssl speaks TLS for it."""
    tls = f"openssl s_client -quiet -connect 127.0.0.1:{site.submissions} 2>/dev/null"
    command = ["swaks", "--pipe", tls, "--auth", "PLAIN", "--auth-user", OFFICER, "--auth-password", PASSWORD]
    command += ["--from", MAILBOX, "--to", ",".join(rcpt_tos), "--data", f"@{mail}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


def mutt(site: Institution, mail: Path, *, rcpt_tos: tuple[str, ...]) -> str:
    """The last line of mutt in batch mode; the mail's body and thread are taken from the file."""
    home = site.folder / "mutt"
    home.mkdir(exist_ok=True)
    header, _, body = mail.read_text().partition("\n\n")
    thread = [line for line in header.splitlines() if line.startswith(("In-Reply-To:", "References:"))]
    login = f"{OFFICER.replace('@', '%40')}:{PASSWORD}"
    (home / "muttrc").write_text(
        f'set smtp_url="smtps://{login}@127.0.0.1:{site.submissions}/"\n'
        f'set from="{MAILBOX}" use_envelope_from=yes envelope_from_address="{MAILBOX}" copy=no\n'
        f'set ssl_ca_certificates_file="{site.folder}/certificate.pem" ssl_verify_host=no\n'
        + "".join(f"my_hdr {line}\n" for line in thread)
    )
    command = ["mutt", "-n", "-F", str(home / "muttrc"), "-s", "Re: your request", *rcpt_tos]
    environment = {**os.environ, "HOME": str(home), "TERM": "dumb"}
    done = subprocess.run(command, input=body, capture_output=True, text=True, check=False, timeout=60, env=environment)
    return done.stdout + done.stderr


CLIENTS = {"swaks": swaks, "mutt": mutt}
