"""Seals our own mail: signs it, encrypts it to exactly the keys it is meant for, gives it a DKIM signature.

Never seals anything of somebody else's, and never trusts that gpg did what it was asked: what comes out is read again.
"""

from contextlib import suppress
from datetime import UTC, date, datetime
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.errors import GpgUnavailable, SealFailed
from gateway.mail.scan import body_of
from gateway.model.message import Message
from gateway.model.settings import Dkim
from gateway.model.trust import PinnedKey
from gateway.trust.dkim_sign import load_key, sign_dkim
from gateway.trust.gnupg_home import GnupgHome, GpgRun
from gateway.trust.openpgp_packets import Armor, armored, dearmor, recipient_ids
from gateway.trust.own_signature import MICALG, SigningKey, signed, unsigned
from gateway.trust.status import Line, read_status
from gateway.trust.wrapping import Wrapping, wrapped

_MICALG = {"8": "pgp-sha256", "9": "pgp-sha384", "10": "pgp-sha512"}
"""Hash algorithm number -> its word in multipart/signed (RFC 3156 section 5, RFC 9580 section 9.5)."""


class Sealer:
    """Our own OpenPGP key and DKIM key, ready to seal."""

    def __init__(self, *, home: GnupgHome, signing_key: str, dkim: Dkim) -> None:
        self.home = home
        self.signing_key = signing_key
        self.dkim = dkim
        self._current: tuple[SigningKey | None, int, date] | None = None
        self._own_now: tuple[PinnedKey, int] | None = None

    @property
    def own_key(self) -> PinnedKey:
        """Our own public key, with its expiry, as it is now; raises GpgUnavailable if the home does not hold it."""
        changed = self.home.changed
        if self._own_now is None or self._own_now[1] != changed:
            self._own_now = (self.home.own_key(self.signing_key), changed)
        return self._own_now[0]

    @property
    def own_keys(self) -> frozenset[str]:
        """Fingerprints and 16-digit key ids of our own key and its subkeys; raises GpgUnavailable like `own_key`."""
        names = (self.own_key.fingerprint, *self.own_key.subkeys)
        return frozenset((*names, *(name[-16:] for name in names)))

    @cached_property
    def _dkim_key(self) -> rsa.RSAPrivateKey:
        return load_key(self.dkim.key)

    def prepare(self) -> None:
        """Read our own keys before they are needed; what cannot be read now is said when it is."""
        with suppress(GpgUnavailable, ValueError):
            self._signing_key()
        with suppress(SealFailed):
            self.dkim_field(b"\r\n", at=datetime.now(UTC))

    def sign(self, payload: bytes) -> tuple[bytes, str]:
        """An armored detached signature over exactly these bytes, and the micalg that names its hash; SealFailed.

        The payload is a MIME entity in canonical form: 7-bit, CRLF, no trailing blanks (RFC 3156 section 5). Our agent
        signs; gpg where key or agent are not as expected: it knows more keys, says what is wrong, and starts an agent.
        """
        return self._signed_by_agent(payload) or self._signed_by_gpg(payload)

    def _signed_by_agent(self, payload: bytes) -> tuple[bytes, str] | None:
        at = datetime.now(UTC)
        try:
            key = self._signing_key()
            if key is None or not key.usable(at):
                return None
            draft = unsigned(payload, key, at=at)
            answer = self.home.agent_signature(keygrip=key.keygrip, digest=draft.digest)
            return armored(signed(draft, answer), Armor.SIGNATURE), MICALG
        except (GpgUnavailable, ValueError):
            return None

    def _signing_key(self) -> SigningKey | None:
        """The key that signs, read anew when our key box has changed, and each day: it may have been revoked or renewed."""
        now = (self.home.changed, datetime.now(UTC).date())
        if self._current is None or self._current[1:] != now:
            self._current = (self.home.signing_key(self.signing_key), *now)
        return self._current[0]

    def _signer(self) -> str:
        """What gpg is told to sign with: exactly the key that our agent would be asked for."""
        with suppress(GpgUnavailable, ValueError):
            key = self._signing_key()
            return f"{key.fingerprint}!" if key else self.signing_key
        return self.signing_key

    def _signed_by_gpg(self, payload: bytes) -> tuple[bytes, str]:
        run = self._run(("--detach-sign", "--armor", "--digest-algo", "SHA256", "-u", self._signer()), payload)
        created = self._created(run, kind="D")
        if not run.stdout.startswith(b"-----BEGIN PGP SIGNATURE-----\n"):
            raise SealFailed("gpg gave no signature")
        return run.stdout, _MICALG[created.words[2]]

    def encrypt(self, payload: bytes, *, keys: tuple[PinnedKey, ...]) -> bytes:
        """The payload signed by us and encrypted to exactly these keys and our own, armored; SealFailed.

        One OpenPGP message (RFC 3156 section 6.2): a reader sees the signature only after opening.
        """
        if not keys:
            raise SealFailed("there is no key to encrypt to")
        recipients = [word for key in (*keys, self._own()) for word in ("--recipient", key.fingerprint)]
        command = ("--sign", "--encrypt", "--armor", "--digest-algo", "SHA256", "--compress-algo", "none")
        run = self._run((*command, "-u", self._signer(), *recipients), payload, keys=keys)
        self._created(run, kind="S")
        words = [line.keyword for line in read_status(run.status)]
        if words.count("BEGIN_ENCRYPTION") != 1 or words.count("END_ENCRYPTION") != 1 or "INV_RECP" in words:
            raise SealFailed("gpg did not encrypt to every key")
        _check_recipients(run.stdout, (*keys, self._own()))
        return run.stdout

    def dkim_field(self, content: bytes, *, at: datetime) -> bytes:
        """The DKIM-Signature field, with its CRLF, to stand before a complete message of ours; SealFailed."""
        return sign_dkim(content, key=self._dkim_key, domain=self.dkim.domain, selector=self.dkim.selector, at=at)

    def recipients_of(self, message: Message) -> frozenset[str]:
        """Key ids, 16 hex digits, that a client encrypted a whole message to; empty if it is not such a message.

        A recipient that the client hid is 16 zeros.
        """
        found = wrapped(message)
        if found.wrapping not in {Wrapping.ENCRYPTED, Wrapping.INLINE_ENCRYPTED} or found.content is None:
            return frozenset()
        try:
            return frozenset(recipient_ids(dearmor(body_of(message, found.content), Armor.MESSAGE)))
        except ValueError:
            return frozenset()

    def _own(self) -> PinnedKey:
        try:
            return self.own_key
        except GpgUnavailable as error:
            raise SealFailed(str(error)) from error

    def _run(self, args: tuple[str, ...], payload: bytes, *, keys: tuple[PinnedKey, ...] = ()) -> GpgRun:
        try:
            return self.home.run(args, stdin=payload, keyring=self.home.keyring_of(keys), own=True)
        except GpgUnavailable as error:
            raise SealFailed(str(error)) from error

    def _created(self, run: GpgRun, *, kind: str) -> Line:
        """The SIG_CREATED line, if gpg made exactly one signature, of the kind asked for, with our own key."""
        try:
            lines = read_status(run.status)
        except GpgUnavailable as error:
            raise SealFailed(str(error)) from error
        made = [line for line in lines if line.keyword == "SIG_CREATED"]
        own = self._own()
        if run.rc != 0 or len(made) != 1 or len(made[0].words) < 6:
            raise SealFailed(f"gpg made no signature: {_trouble(lines) or run.rc}")
        if made[0].words[0] != kind or made[0].words[5] not in {own.fingerprint, *own.subkeys}:
            raise SealFailed("gpg made another signature than it was asked for")
        if made[0].words[2] not in _MICALG:
            raise SealFailed("gpg signed with a weak hash")
        return made[0]


def _trouble(lines: tuple[Line, ...]) -> str:
    named = [
        " ".join((one.keyword, *one.words))
        for one in lines
        if one.keyword in {"FAILURE", "ERROR", "INV_RECP", "INV_SGNR"}
    ]
    return "; ".join(named)[:200]


def _check_recipients(cipher: bytes, keys: tuple[PinnedKey, ...]) -> None:
    """Raise SealFailed unless the message names one key of each wanted recipient and nobody else."""
    try:
        named = recipient_ids(dearmor(cipher, Armor.MESSAGE))
    except ValueError as error:
        raise SealFailed(f"gpg's answer cannot be read: {error}") from error
    wanted = {key.fingerprint: (key.fingerprint, *key.subkeys) for key in keys}
    reached = [primary for one in named for primary, all_of in wanted.items() if any(f.endswith(one) for f in all_of)]
    if len(named) != len(wanted) or sorted(reached) != sorted(wanted):
        raise SealFailed("the message is not encrypted to exactly the keys it is meant for")
