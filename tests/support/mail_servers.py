"""Real Postfix, Dovecot and smtp-sink on loopback, each in a folder of its own; nothing below /etc is read or written.

Dovecot runs wholly as `nobody` (or as the user who runs the tests). Postfix's master insists on root.
"""

import grp
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from ports import free_port, wait_for_port
from shipped import DEPLOY, options, shipped

CONFIG = Path(__file__).parent / "mail_servers"


def short_folder(prefix: str) -> Path:
    """A temporary folder with a short path: unix sockets end at 107 characters."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))


def render(name: str, **values: object) -> str:
    """A configuration file with its @NAME@ filled in."""
    return re.sub(r"@([A-Z_]+)@", lambda match: str(values[match[1]]), (CONFIG / name).read_text())


def end(process: subprocess.Popen | None) -> None:
    """SIGTERM, then SIGKILL; the servers end their own children."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Dovecot:
    """IMAP for the given users, with what deploy/dovecot adds: LMTP, Sieve, and logins for Postfix."""

    def __init__(self, users: dict[str, str]) -> None:
        self.folder = short_folder("dc.")
        self.users = users
        self.imap, self.lmtp = free_port(), free_port()
        self.sasl = self.folder / "run" / "cp247"
        """Socket where Postfix asks who logs in."""
        self.process: subprocess.Popen | None = None

    @staticmethod
    def available() -> bool:
        return shutil.which("dovecot", path="/usr/sbin:/usr/bin") is not None

    def __enter__(self) -> Self:
        account = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        for part in ("run", "state", "mail"):
            (self.folder / part).mkdir()
        (self.folder / "dovecot.conf").write_text(self._configuration(account))
        (self.folder / "users").write_text("".join(f"{user}:{{PLAIN}}{word}\n" for user, word in self.users.items()))
        shutil.copyfile(DEPLOY / "dovecot" / "before.sieve", self.folder / "before.sieve")
        self.folder.chmod(0o755)
        if os.getuid() == 0:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, account.pw_uid, account.pw_gid)
        self.start()
        return self

    def start(self) -> None:
        """Serve, also again after `stop`."""
        account = pwd.getpwnam("nobody")
        unprivileged = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self.process = subprocess.Popen(
            ["/usr/sbin/dovecot", "-F", "-c", str(self.folder / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            **(unprivileged if os.getuid() == 0 else {}),
        )
        for port in (self.imap, self.lmtp):
            wait_for_port(port, process=self.process, log=self.folder / "dovecot.log")

    def stop(self) -> None:
        """End; what was delivered stays."""
        end(self.process)

    def _configuration(self, account: pwd.struct_passwd) -> str:
        """The server's own part, and the shipped snippet with its ports and paths filled in."""
        version = subprocess.run(["/usr/sbin/dovecot", "--version"], capture_output=True, text=True, check=True).stdout
        new = tuple(map(int, re.match(r"(\d+)\.(\d+)", version).groups())) >= (2, 4)
        group = grp.getgrgid(account.pw_gid).gr_name
        places = {
            "port = 24\n": f"port = {self.lmtp}\n",
            "/etc/dovecot/sieve": self.folder,
            "/var/spool/postfix/private/auth": self.sasl,
            # one account serves all here, and Postfix is another one
            "mode = 0660": "mode = 0666",
            "user = postfix": f"user = {account.pw_name}",
            "group = postfix": f"group = {group}",
        }
        own = render(
            "dovecot24.conf" if new else "dovecot.conf",
            DIR=self.folder,
            USER=account.pw_name,
            GROUP=group,
            IMAP_PORT=self.imap,
        )
        return own + shipped("dovecot/cp247-2.4.conf" if new else "dovecot/cp247.conf", places)

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Postfix:
    """One instance with its own configuration, queue and data folder; /etc/postfix/ in its options means that folder."""

    def __init__(
        self, *, main: dict[str, str], services: str, ports: tuple[int, ...], files: dict[str, str] | None = None
    ) -> None:
        self.folder = short_folder("pf.")
        self.main, self.services, self.ports, self.files = main, services, ports, files or {}
        self.process: subprocess.Popen | None = None

    @staticmethod
    def available() -> bool:
        return os.getuid() == 0 and Path("/usr/lib/postfix/sbin/master").exists()

    def __enter__(self) -> Self:
        etc = self.folder / "etc"
        for part in ("etc", "spool", "data"):
            (self.folder / part).mkdir()
        self.folder.chmod(0o755)
        owner = pwd.getpwnam("postfix")
        os.chown(self.folder / "data", owner.pw_uid, owner.pw_gid)
        parameters = options(render("main.cf", DIR=self.folder)) | self.main
        main = "".join(f"{key} = {value}\n" for key, value in parameters.items())
        services = (CONFIG / "master.cf").read_text() + self.services
        for name, text in {"main.cf": main, "master.cf": services, **self.files}.items():
            (etc / name).write_text(text.replace("/etc/postfix/", f"{etc}/"))
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MAIL_CONFIG": str(etc)}
        subprocess.run(["/usr/sbin/postfix", "-c", str(etc), "check"], check=True, capture_output=True, env=environment)
        self.process = subprocess.Popen(
            ["/usr/lib/postfix/sbin/master", "-d", "-c", str(etc)],
            env=environment,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for port in self.ports:
            wait_for_port(port, process=self.process, log=self.folder / "postfix.log")
        return self

    def log(self) -> str:
        path = self.folder / "postfix.log"
        return path.read_text() if path.exists() else ""

    def __exit__(self, *_: object) -> None:
        end(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)


class Sink:
    """smtp-sink, the Internet: one file for each message, its envelope in X-Mail-Args and X-Rcpt-Args."""

    def __init__(self) -> None:
        self.folder = short_folder("sk.")
        self.port = free_port()
        self.process: subprocess.Popen | None = None

    @staticmethod
    def available() -> bool:
        return Path("/usr/sbin/smtp-sink").exists()

    def __enter__(self) -> Self:
        command = ["/usr/sbin/smtp-sink"]
        if os.getuid() == 0:
            self.folder.chmod(0o777)
            command += ["-u", "nobody"]
        command += ["-d", f"{self.folder}/%s.", f"127.0.0.1:{self.port}", "64"]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port, process=self.process)
        return self

    def messages(self) -> list[bytes]:
        """Messages in order of arrival, LF-ended as smtp-sink writes them; only whole ones."""
        found = [path for path in self.folder.iterdir() if path.is_file()]
        return [
            path.read_bytes() for path in sorted(found, key=lambda one: one.stat().st_mtime_ns) if path.stat().st_size
        ]

    def __exit__(self, *_: object) -> None:
        end(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)
