"""A content filter as an administrator would write it: `gpg --verify` for each message, a header field, back into Postfix.

Called by pipe(8): GNUPGHOME, port to hand the message back to, sender, recipients; the message on standard input.
"""

import re
import smtplib
import subprocess
import sys
import tempfile

DELIMITER = rb"(?:^|\r\n)--%s(?:--)?[ \t]*\r\n"


def main() -> int:
    """Exit status for pipe(8): 0, or 75 to have it tried again."""
    home, port, sender, *recipients = sys.argv[1:]
    content = re.sub(rb"\r?\n", b"\r\n", sys.stdin.buffer.read())
    field = b"X-OpenPGP: openpgp=%s\r\n" % verified(content, home)
    try:
        with smtplib.SMTP("127.0.0.1", int(port), local_hostname="filter.example") as server:
            server.sendmail(sender, recipients, field + content, ("BODY=8BITMIME",))
    except (OSError, smtplib.SMTPException):
        return 75
    return 0


def verified(content: bytes, home: str) -> bytes:
    """pass, fail, or none where the message is not multipart/signed."""
    header, _, body = content.partition(b"\r\n\r\n")
    boundary = re.search(rb'(?is)multipart/signed.*?boundary="([^"]+)"', header)
    if boundary is None:
        return b"none"
    parts = re.split(DELIMITER % re.escape(boundary[1]), body)
    signature = parts[2].partition(b"\r\n\r\n")[2]
    with tempfile.NamedTemporaryFile() as file:
        file.write(signature)
        file.flush()
        command = ["gpg", "--homedir", home, "--batch", "--no-autostart", "--trust-model", "always"]
        run = subprocess.run([*command, "--verify", file.name, "-"], input=parts[1], capture_output=True, check=False)
    return b"pass" if run.returncode == 0 else b"fail"


if __name__ == "__main__":
    sys.exit(main())
