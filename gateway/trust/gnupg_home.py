"""Runs gpg in a home of our own: one short process per question, a private status channel, a deadline, a size limit.

Never fetches a key, never asks a human, never reads the user's options, never lets a stranger's key into a key ring.
What gpg answers is read in `status`; this module only runs it.
"""

import hashlib
import math
import os
import resource
import select
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from urllib.parse import unquote

from gateway.errors import GpgUnavailable
from gateway.model.trust import PinnedKey
from gateway.trust.agent import agent_signature
from gateway.trust.key_inspection import KeyRefused, admit, listed_keys
from gateway.trust.own_key import make_own_key, rotate_own_key
from gateway.trust.own_signature import SigningKey, signing_key

MAX_OUTPUT_BYTES = 67_108_864
"""What one run of gpg may write: twice the largest mail."""
MAX_SOCKET_PATH = 80
"""A home longer than this is reached by a short link: a socket's path has room for 108 bytes (unix(7))."""

_ALWAYS = (
    "gpg", "--no-options", "--batch", "--no-tty", "--no-default-keyring", "--no-auto-check-trustdb",
    "--trust-model", "always", "--no-auto-key-retrieve", "--no-auto-key-import", "--auto-key-locate", "local",
    "--disable-dirmngr", "--weak-digest", "SHA1", "--pinentry-mode", "error", "--exit-on-status-write-error",
    "--enable-special-filenames", "--no-permission-warning", "--charset", "utf-8",
    "--ignore-time-conflict",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GpgRun:
    """What one run of gpg left behind; `rc` alone proves nothing: it is 0 for a revoked key's signature."""

    rc: int
    """Exit status; -25 (SIGXFSZ) if it wanted to write more than it may."""
    stdout: bytes = field(repr=False)
    status: bytes = field(repr=False)


class GnupgHome:
    """A GNUPGHOME that holds our own key, and the key rings of pinned keys made for single questions."""

    def __init__(self, home: str, *, timeout: float = 15.0) -> None:
        self.home = os.path.abspath(home)
        self.timeout = timeout
        self._rings: set[str] = set()
        self._own = ("", 0)
        with _unavailable("the GnuPG home cannot be made"):
            os.makedirs(self.home, mode=0o700, exist_ok=True)
            self.path = _short(self.home)

    def run(
        self,
        args: Sequence[str],
        *,
        stdin: bytes = b"",
        keyring: str | None = None,
        own: bool = False,
        beside: bytes | None = None,
        at: datetime | None = None,
        max_output: int = MAX_OUTPUT_BYTES,
    ) -> GpgRun:
        """Exit status, output and status lines of one gpg; GpgUnavailable if it is missing, hangs or writes too much.

        keyring: the only foreign keys it sees. own: our own key as well, and the agent. beside: a second input, whose
        name stands where an argument says `{beside}`. at: the moment gpg is to believe it is. max_output: octets.
        """
        with _unavailable("gpg cannot be run"), ExitStack() as files:
            content, output, status = (_memory_file(files, octets) for octets in (stdin, b"", b""))
            extra = () if beside is None else (_memory_file(files, beside),)
            command = [*self._options(keyring, own, at), "--status-fd", str(status)]
            command += [one.format(beside=f"-&{extra[0]}") if extra else one for one in args]
            rc = self._wait(command, content, output, (status, *extra), max_output)
            return GpgRun(rc, _content(output), _content(status))

    def _options(self, keyring: str | None, own: bool, at: datetime | None) -> list[str]:
        options = [*_ALWAYS, "--homedir", self.path, "--keyring", keyring or self.keyring_of(())]
        options += ["--keyring", self._own_ring()] if own else ["--no-autostart"]
        # gpg judges expiry by its clock: the same bytes must give the same verdict years later, also where our own key
        # is younger than the mail. That a signer's key is not younger than the signature is checked in `openpgp`.
        return options + (["--faked-system-time", f"{int(at.timestamp())}!"] if at else [])

    def _wait(self, command: list[str], content: int, output: int, passed: tuple[int, ...], max_output: int) -> int:
        process = subprocess.Popen(
            command, stdin=content, stdout=output, stderr=subprocess.DEVNULL, pass_fds=passed,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        )  # fmt: skip
        finished = False
        with process:
            try:
                _limit(process.pid, output=max_output, seconds=self.timeout)
                finished = _finished(process.pid, self.timeout)
            finally:
                if not finished:
                    process.kill()
        if not finished:
            raise GpgUnavailable(f"gpg did not answer within {self.timeout} seconds")
        if process.returncode < 0 and process.returncode != -signal.SIGXFSZ:
            raise GpgUnavailable(f"gpg was ended by signal {-process.returncode}")
        return process.returncode

    def keyring_of(self, keys: tuple[PinnedKey, ...]) -> str:
        """Path of a key ring that holds exactly these keys; written once, named by its content."""
        return self._ring(b"".join(key.packets for key in keys))

    def _own_ring(self) -> str:
        """Path of a key ring like our own public key box, which gpg would check anew each time; follows its changes."""
        if self.changed != self._own[1]:
            self._own = (self._ring(self.run(("--export",), keyring=self._box).stdout), self.changed)
        return self._own[0] or self._box

    @property
    def changed(self) -> int:
        """When our own public keys last changed: nanoseconds since 1970, 0 if there are none."""
        return os.stat(self._box).st_mtime_ns if os.path.exists(self._box) else 0

    @property
    def _box(self) -> str:
        return os.path.join(self.path, "pubring.kbx")

    def _ring(self, ring: bytes) -> str:
        path = os.path.join(self.path, "rings", f"{hashlib.sha256(ring).hexdigest()}.gpg")
        if path in self._rings:
            return path
        with _unavailable("a key ring cannot be written"):
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            if not os.path.exists(path):
                self._write_ring(path, ring)
        self._rings.add(path)
        return path

    def _write_ring(self, path: str, ring: bytes) -> None:
        """Write the ring under another name, have gpg check its keys' own signatures once and for all, put it in place.

        gpg keeps the result beside each signature (a ring trust packet); that halves the time of every later question.
        """
        with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
            made = os.path.join(folder, "ring.gpg")
            with open(made, "wb") as file:
                file.write(ring)
            if ring:
                self.run(("--rebuild-keydb-caches",), keyring=made)
            os.replace(made, path)

    def inspect_keys(self, armored: Sequence[bytes]) -> tuple[PinnedKey | KeyRefused, ...]:
        """What each key file holds, in order, as a key to pin or the reason why it may not be one.

        gpg is asked once for all of them, in the very form in which the keys are used later.
        """
        admitted = tuple(admit(one) for one in armored)
        octets = {one.fingerprint: one.packets for one in admitted if not isinstance(one, KeyRefused)}
        keys = self._listed(octets) if octets else {}
        alone = KeyRefused("gpg cannot use this key", "export it anew with `gpg --export --armor FINGERPRINT`")
        return tuple(one if isinstance(one, KeyRefused) else keys.get(one.fingerprint, alone) for one in admitted)

    def _listed(self, octets: Mapping[str, bytes]) -> dict[str, PinnedKey | KeyRefused]:
        ring = b"".join(octets.values())
        run = self.run(("--with-colons", "--fixed-list-mode", "--list-keys"), keyring=self._ring(ring))
        if run.rc != 0:
            raise GpgUnavailable(f"gpg ended with {run.rc} when asked to list keys")
        return listed_keys(run.stdout, octets)

    def make_own_key(self, *, name: str, mailbox: str) -> str:
        """Make our own key in this home and return its primary fingerprint; GpgUnavailable if gpg makes none."""
        return make_own_key(self.path, name=name, mailbox=mailbox)

    def rotate_own_key(self, fingerprint: str, *, overlap: timedelta) -> tuple[str, ...]:
        """Fingerprints of the new subkeys, signing and encrypting; the old ones end after the overlap. Raises GpgUnavailable."""
        return rotate_own_key(self.path, fingerprint, overlap=overlap)

    def own_key(self, fingerprint: str) -> PinnedKey:
        """Our own public key with its expiry; GpgUnavailable if this home does not hold it or it cannot be used."""
        found = self.inspect_keys((self.export(fingerprint),))[0]
        if isinstance(found, KeyRefused) or found.fingerprint != fingerprint.upper():
            raise GpgUnavailable(f"our own key {fingerprint} cannot be used")
        return found

    def export(self, fingerprint: str) -> bytes:
        """Our own public key, armored and without signatures of others; GpgUnavailable if this home does not hold it."""
        run = self.run(("--armor", "--export-options", "export-minimal", "--export", fingerprint), own=True)
        if run.rc != 0 or not run.stdout:
            raise GpgUnavailable(f"the GnuPG home does not hold the key {fingerprint}")
        return run.stdout

    def signing_key(self, fingerprint: str) -> SigningKey | None:
        """The (sub)key of our own key that signs now, None where gpg has to sign; raises GpgUnavailable."""
        octets = self.own_key(fingerprint).packets
        run = self.run(
            ("--with-colons", "--fixed-list-mode", "--with-keygrip", "--list-keys"), keyring=self._ring(octets)
        )
        return signing_key(run.stdout, octets, at=datetime.now(UTC)) if run.rc == 0 else None

    def agent_signature(self, *, keygrip: str, digest: bytes) -> bytes:
        """What our agent answers when asked to sign; raises SealFailed and GpgUnavailable as `agent.agent_signature` does."""
        return agent_signature(self._agent_socket, keygrip=keygrip, digest=digest, seconds=self.timeout)

    @cached_property
    def _agent_socket(self) -> str:
        """Where gpg would look for the agent: in the home, or below /run/user."""
        return unquote(self._gpgconf("--list-dirs", "agent-socket").decode().rstrip("\n"))

    def version(self) -> str:
        """Version number of gpg, such as '2.2.40'."""
        words = self.run(("--version",)).stdout.split(b"\n")[0].split()
        return words[-1].decode("ascii", "replace") if words else ""

    def start_agent(self) -> None:
        """Start the agent that holds our secret key, so that no judge's child is its parent."""
        self._gpgconf("--launch", "gpg-agent")

    def kill_agent(self) -> None:
        """End the agent of this home; nothing happens if there is none."""
        self._gpgconf("--kill", "gpg-agent")

    def _gpgconf(self, verb: str, what: str) -> bytes:
        command = ("gpgconf", "--homedir", self.path, verb, what)
        with _unavailable("gpgconf cannot be run"):
            return subprocess.run(command, check=True, capture_output=True, timeout=self.timeout).stdout


@contextmanager
def _unavailable(what: str) -> Iterator[None]:
    """What the operating system refuses here is gpg being out of reach."""
    try:
        yield
    except (OSError, subprocess.SubprocessError) as error:
        raise GpgUnavailable(f"{what}: {error}") from error


def _memory_file(files: ExitStack, octets: bytes) -> int:
    """A file in memory: gpg reads and writes at its own pace, no pipe fills up, the kernel holds the size limit."""
    descriptor = os.memfd_create("gpg")
    files.callback(os.close, descriptor)
    view = memoryview(octets)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _limit(pid: int, *, output: int, seconds: float) -> None:
    """No file this process writes grows beyond `output` octets, and it computes no longer than we wait for it.

    The second also ends a gpg whose judge was killed. Limits that our own process lives under are kept.
    """
    wanted = ((resource.RLIMIT_FSIZE, output), (resource.RLIMIT_CPU, math.ceil(seconds) + 1))
    for limit, size in wanted:
        _, hard = resource.getrlimit(limit)
        soft = size if hard == resource.RLIM_INFINITY else min(size, hard)
        with suppress(ProcessLookupError):
            resource.prlimit(pid, limit, (soft, hard))


def _content(descriptor: int) -> bytes:
    """All of a file in memory; MAX_OUTPUT_BYTES is far below what one read may give (read(2))."""
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _finished(pid: int, timeout: float) -> bool:
    """Whether the process ends in time; waiting by descriptor costs nothing, subprocess.wait sleeps up to 50 ms."""
    descriptor = os.pidfd_open(pid)
    try:
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        return bool(waiting.poll(timeout * 1000))
    finally:
        os.close(descriptor)


def _short(home: str) -> str:
    """The home, or a link to it that is short enough for the agent's socket; the same for every process of this user."""
    if len(os.fsencode(home)) <= MAX_SOCKET_PATH:
        return home
    run = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0] or tempfile.gettempdir()
    link = os.path.join(run, f"cp247-{os.getuid()}-{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}")
    with suppress(FileExistsError):
        os.symlink(home, link)
    found = os.lstat(link)
    # A link that another user laid would lead to that user's keys.
    if found.st_uid != os.getuid() or not stat.S_ISLNK(found.st_mode) or os.readlink(link) != home:
        raise GpgUnavailable(f"{link} is in the way: it should be our own link to {home}")
    return link
