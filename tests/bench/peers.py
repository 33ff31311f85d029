"""What we are compared with: Postfix alone, with its mail filters, and with a filter that does what we do; each before the same sink.

Nothing below /etc is written; nothing is started that is not ended here.
"""

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from mail_servers import Postfix, end
from ports import free_port

from .letters import ASKING, OURS
from .load import Route
from .sink import Taken
from .surroundings import Surroundings

SETTLED_SECONDS = 5.0
PROCESSES = os.cpu_count() or 2
CLIENT = f"ADDR={ASKING.address} NAME=mail.{ASKING.domain} HELO=mail.{ASKING.domain} PROTO=ESMTP"
XFORWARD = (f"XFORWARD {CLIENT}\r\n".encode(),)
# Filters see the client's address only if Postfix itself believes in it, and rspamd checks nothing for a client on loopback.
XCLIENT = (f"XCLIENT {CLIENT}\r\n".encode(), f"EHLO mail.{ASKING.domain}\r\n".encode())
FILTER = Path(__file__).with_name("gpg_filter.py")

# The key comes from a file: libunbound reads its configuration once a message, and two threads at it end the process.
OPENDKIM = """\
Mode v
Socket local:{folder}/opendkim.sock
UMask 000
UserID opendkim
Syslog no
AuthservID opendkim.example
AlwaysAddARHeader yes
TestPublicKeys {folder}/keys
"""
RSPAMD = {
    "options.inc": 'dns {{ nameserver = ["{nameserver}"]; timeout = 5s; }}\ncontrol_socket = "{folder}/control.sock";\nhs_cache_dir = "{cache}";\n',
    "worker-proxy.inc": (
        'bind_socket = "{folder}/rspamd.sock mode=0666";\ncount = {processes};\n'
        'upstream "local" {{ default = yes; self_scan = yes; }}\n'
    ),
    "worker-normal.inc": "enabled = false;\n",
    "worker-controller.inc": "enabled = false;\n",
    "worker-fuzzy.inc": "enabled = false;\n",
    "logging.inc": 'type = "file"; filename = "{folder}/rspamd.log"; level = "error";\n',
    "actions.conf": "reject = 9999; add_header = 9998; greylist = 9997;\n",
    "milter_headers.conf": 'use = ["authentication-results"];\n',
    # Nothing that asks the network beyond the sender's own zone: this bench measures no resolver.
    **dict.fromkeys(
        ("rbl.conf", "surbl.conf", "fuzzy_check.conf", "asn.conf", "phishing.conf", "rspamd_update.conf", "mx_check.conf"),
        "enabled = false;\n",
    ),
}  # fmt: skip


class Peer:
    """One Postfix with the given filters in front of its queue, and perhaps one behind it."""

    per_letter = 1

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        around: Surroundings,
        filters: tuple[str, ...] = (),
        key: bytes = b"",
    ) -> None:
        self.name, self._folder = name, folder
        self._around, self._filters, self._key = around, filters, key
        self.slow = bool(key)
        self._servers = ExitStack()
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Peer":
        with self._servers as servers:
            folder = self._folder / self.name
            folder.mkdir(parents=True)
            milters = [START[one](folder, self._around, self._started) for one in self._filters]
            port = free_port()
            self._postfix = servers.enter_context(_postfix(folder, port, self._around.sink, milters, self._key))
            self._servers = servers.pop_all()
        introduction = XCLIENT if milters else XFORWARD
        self.route = Route(port, ASKING.mailbox, OURS, introduction)
        return self

    def __exit__(self, *_: object) -> None:
        self._servers.close()

    @property
    def roots(self) -> set[int]:
        """Postfix' master and every filter; their children follow."""
        return {self._postfix.process.pid, *(one.pid for one in self._processes)}

    def faults(self, taken: Taken) -> str:
        """What is wrong with one mail at the sink, '' if nothing."""
        # Every filter writes a field of its own; Postfix alone, none.
        wanted = {b"dkim=pass": len(self._filters), b"openpgp=pass": int(self.slow)}
        wanted |= {b"spf=pass": 1, b"dmarc=pass": 1} if "rspamd" in self._filters else {}
        return ", ".join(f"no {word.decode()}" for word, times in wanted.items() if taken.header.count(word) < times)

    def log(self) -> str:
        """The last lines of Postfix' log."""
        return self._postfix.log()[-3000:]

    def _started(self, command: list[str]) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
        self._processes.append(process)
        self._servers.callback(end, process)
        return process


Start = Callable[[list[str]], subprocess.Popen[bytes]]


def _opendkim(folder: Path, around: Surroundings, start: Start) -> str:
    owner = _owned(folder / "opendkim", "opendkim")
    (owner / "keys").write_text(" ".join(around.dkim_key) + "\n")
    (owner / "opendkim.conf").write_text(OPENDKIM.format(folder=owner))
    process = start(["/usr/sbin/opendkim", "-f", "-x", str(owner / "opendkim.conf")])
    return _socket(owner / "opendkim.sock", process)


def _rspamd(folder: Path, around: Surroundings, start: Start) -> str:
    owner = _owned(folder / "rspamd", "_rspamd")
    override = owner / "override.d"
    override.mkdir()
    (owner / "local.d").mkdir()
    # Peers share what rspamd compiles: the first one pays.
    cache = folder.parent / "hyperscan"
    if not cache.exists():
        _owned(cache, "_rspamd")
    values = {"folder": owner, "cache": cache, "nameserver": around.nameserver, "processes": PROCESSES}
    for name, text in RSPAMD.items():
        (override / name).write_text(text.format(**values) if "{" in text else text)
    places = [f"--var={name}={owner}" for name in ("LOCAL_CONFDIR", "DBDIR", "RUNDIR", "LOGDIR")]
    process = start(["/usr/bin/rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", *places])
    address = _socket(owner / "rspamd.sock", process)
    _settled(cache)
    return address


def _settled(cache: Path) -> None:
    """Return when rspamd has compiled its patterns, which it does in the background for half a minute."""
    before: set[str] = set()
    while (now := set(os.listdir(cache))) != before:
        before = now
        time.sleep(SETTLED_SECONDS)


START: dict[str, Callable[[Path, Surroundings, Start], str]] = {"opendkim": _opendkim, "rspamd": _rspamd}


def available(name: str) -> bool:
    """Whether that filter is installed."""
    return shutil.which(name, path="/usr/sbin:/usr/bin") is not None


def _owned(folder: Path, account: str) -> Path:
    folder.mkdir()
    owner = pwd.getpwnam(account)
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return folder


def _socket(path: Path, process: subprocess.Popen[bytes]) -> str:
    """The milter's address, once it listens."""
    deadline = time.monotonic() + 120
    while not path.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"no milter at {path}: {process.args}")
        time.sleep(0.05)
    return f"unix:{path}"


def _postfix(folder: Path, port: int, sink: int, milters: list[str], key: bytes) -> Postfix:
    main = {
        "relayhost": f"[127.0.0.1]:{sink}",
        "mynetworks": f"127.0.0.0/8, {ASKING.address}/32",
        "smtpd_authorized_xforward_hosts": "127.0.0.0/8",
        "smtpd_authorized_xclient_hosts": "127.0.0.0/8",
        "smtpd_milters": ", ".join(milters),
        "milter_default_action": "tempfail",
        # Postfix would slow its clients down to the pace of its queue: the accept rate is asked for, not that.
        "in_flow_delay": "0",
        "default_process_limit": "200",
        "smtpd_client_connection_count_limit": "0",
        "maximal_queue_lifetime": "1h",
    }
    services = f"127.0.0.1:{port} inet n - n - - smtpd\n"
    if key:
        main["content_filter"] = "gpg:dummy"
        services += _gpg_services(folder, key)
    return Postfix(main=main, services=services, ports=(port,))


def _gpg_services(folder: Path, key: bytes) -> str:
    """A pipe filter that verifies, and the listener where it hands the message back."""
    home = _owned(folder / "gnupg", "nobody")
    home.chmod(0o700)
    account = pwd.getpwnam("nobody").pw_uid
    importing = ["/usr/bin/gpg", "--homedir", str(home), "--batch", "--no-autostart", "--import"]
    subprocess.run(importing, input=key, check=True, capture_output=True, user=account, env={"PATH": "/usr/bin:/bin"})
    back = free_port()
    script = folder / "gpg_filter.py"
    shutil.copyfile(FILTER, script)
    command = f"/usr/bin/python3 -IS {script} {home} {back} ${{sender}} ${{recipient}}"
    return (
        f"gpg unix - n n - {2 * PROCESSES} pipe flags=q user=nobody null_sender= argv={command}\n"
        f"127.0.0.1:{back} inet n - n - - smtpd -o content_filter= -o smtpd_milters=\n"
    )
