"""What the rows of the channel table ask of a draft, in the order of the table; each answers for one row alone.

Never weighs one finding against another: that is the order of the table.
"""

from gateway.channel.draft import Draft
from gateway.channel.resolve import address_key
from gateway.model.trust import TlsLevel
from gateway.model.verdict import AMBIGUOUS, Reason

Found = tuple[str, ...] | bool
"""What a row found: the addresses, keys or forms to name, or just whether it applies."""

MEGABYTE = 1_000_000


def cannot_decide(draft: Draft) -> Found:
    """The journal or the keys could not be asked."""
    return draft.resolution is None


def read_receipt(draft: Draft) -> Found:
    """A disposition notification (RFC 8098 section 3) and nothing that only resembles one: it will not be sent."""
    root = draft.message.root
    kinds = tuple(part.content_type for part in root.children)
    declared = (root.parameter("report-type") or "").lower() == "disposition-notification"
    return root.content_type == "multipart/report" and declared and "message/disposition-notification" in kinds


def not_one_from(draft: Draft) -> Found:
    """Not exactly one From with one address."""
    wrong = {Reason.FROM_NOT_ONE, Reason.FROM_MALFORMED}
    return draft.message.sender is None or not wrong.isdisjoint(draft.message.defects)


def malformed(draft: Draft) -> Found:
    """Two readers may read two mails in it, or two recipients in To or Cc."""
    return draft.malformed_recipients or not AMBIGUOUS.isdisjoint(draft.message.defects)


def automatic_answer(draft: Draft) -> Found:
    """A machine wrote it."""
    return draft.automatic is not None


def redirected(draft: Draft) -> Found:
    """Another's mail sent on (RFC 5322 section 3.6.6) or a calendar answer (RFC 5546)."""
    resent = any(field.name.lower().startswith("resent-") for field in draft.message.header.fields)
    calendar = any(part.content_type == "text/calendar" and part.parameter("method") for part in draft.parts())
    return bool(draft.external) and (resent or calendar)


def from_elsewhere(draft: Draft) -> Found:
    """An answer from a mailbox that is not the contact point's."""
    return bool(draft.external) and draft.case is not None and not draft.is_own(draft.sender)


def personal_to_contact(draft: Draft) -> Found:
    """Mail to a contact point from another mailbox, without a case."""
    return draft.case is None and not draft.from_mailbox and any(draft.contact_of(one) for one in draft.external)


def not_delegate(draft: Draft) -> Found:
    """The login may not write for the mailbox; without a login nobody knows."""
    delegates = draft.settings.contact_point.delegates
    return bool(delegates) and draft.login not in delegates


def other_envelope_sender(draft: Draft) -> Found:
    """The envelope sender is not From, with or without a detail behind `+`."""
    envelope_sender = address_key(draft.envelope.mail_from or "")
    local, _, domain = envelope_sender.rpartition("@")
    return draft.sender not in (envelope_sender, f"{local.partition('+')[0]}@{domain}")


def from_other_own(draft: Draft) -> Found:
    """An answer from one of our mailboxes in a case of another."""
    return bool(draft.external) and draft.case is not None and not draft.from_mailbox


def two_cases(draft: Draft) -> Found:
    """Thread and number, or two of either, name different cases."""
    return bool(draft.external) and draft.resolution is not None and draft.resolution.conflict


def several_cases(draft: Draft) -> Found:
    """Nothing is left of the thread, and several cases are open."""
    return bool(draft.external) and draft.resolution is not None and draft.resolution.several


def unproved_request(draft: Draft) -> Found:
    """Nothing proved who asked: the case has no channel."""
    return draft.external if draft.case is not None and not draft.case.origin else ()


def unproved_reply_to(draft: Draft) -> Found:
    """It goes where the request asks for answers, and nothing proves that address."""
    wanted = draft.case.reply_to if draft.case else None
    return tuple(one for one in draft.extra if wanted and one == address_key(wanted))


def stand_in(draft: Draft) -> Found:
    """Another address of the counterpart instead of the one that asked."""
    if draft.case is None or draft.addressed or draft.counterpart is None:
        return ()
    return tuple(one for one in draft.external if draft.contact_of(one) == draft.counterpart)


def reply_all(draft: Draft) -> Found:
    """Other contact points in To or Cc of an answer."""
    if draft.case is None:
        return ()
    visible = (one for one in draft.extra if one in draft.visible and draft.contact_of(one))
    return tuple(one for one in visible if draft.contact_of(one) != draft.counterpart)


def new_recipient(draft: Draft) -> Found:
    """A stranger, who has not asked; with him are named the known addresses of the next row."""
    if draft.case is None:
        return ()
    strangers = tuple(one for one in draft.extra if draft.contact_of(one) is None and one != _left(draft))
    return (*strangers, *_known(draft)) if strangers else ()


def added_address(draft: Draft) -> Found:
    """Another address of the counterpart beside the one that asked, which is not joint."""
    return _known(draft) if draft.case else ()


def _known(draft: Draft) -> tuple[str, ...]:
    return tuple(one for one in draft.extra if one in draft.visible and draft.is_verified(one))


def _left(draft: Draft) -> str:
    """The address that asked, where a contact of the directory did: whether it left is another row's business."""
    return draft.origin if draft.case and draft.case.contact else ""


def another_counterpart(draft: Draft) -> Found:
    """The number is of a case with other people."""
    unbound = draft.resolution.unbound if draft.resolution else ()
    return draft.external if unbound else ()


def blind_contact(draft: Draft) -> Found:
    """Contact points that stand neither in To nor in Cc; a stranger whom an exception names is none."""
    asking = draft.allowed - draft.freed if draft.case else frozenset()
    return tuple(one for one in draft.blind if draft.contact_of(one) or one in asking)


def stranger(draft: Draft) -> Found:
    """Not in the directory, and no provider the rule file names."""
    strange = (one for one in draft.external if draft.contact_of(one) is None and one != _left(draft))
    return tuple(one for one in strange if not draft.is_reachable(one))


def unverified(draft: Draft) -> Found:
    """In the directory, and nobody confirmed the address yet."""
    return tuple(one for one in draft.external if draft.contact_of(one) and not draft.is_reachable(one))


def unpinned_key(draft: Draft) -> Found:
    """The officer's client encrypted to a key that is not pinned for a recipient."""
    return draft.unpinned if draft.leaves else ()


def without_own_key(draft: Draft) -> Found:
    """The officer's client encrypted, and we could not read it."""
    return draft.leaves and draft.unreadable_by_us


def unreadable_form(draft: Draft) -> Found:
    """Forms that other programs cannot read: TNEF, pieces of a message (RFC 2046 section 5.2.2)."""
    forms = {"application/ms-tnef", "application/vnd.ms-tnef", "message/partial"}
    found = (part.content_type for part in draft.parts() if part.content_type in forms)
    return tuple(dict.fromkeys(found)) if draft.leaves else ()


def colleague_of_encrypted(draft: Draft) -> Found:
    """A colleague in copy of an encrypted answer has no key."""
    return draft.unreadable_for if draft.external and draft.encrypts else ()


def too_large(draft: Draft) -> Found:
    """It would not fit through the next hop once it is sealed."""
    return (megabytes(len(draft.message.content)),) if draft.leaves and draft.too_large else ()


def megabytes(octets: int) -> str:
    """A size as officers' clients show it."""
    return f"{max(1, round(octets / MEGABYTE))} MB"


def colleague_in_copy(draft: Draft) -> Found:
    """A colleague in copy of an answer in clear, where the rule file forbids it."""
    return bool(draft.external and draft.colleagues) and not draft.rules.colleague_in_copy


def several_contacts(draft: Draft) -> Found:
    """A request of our own to more than one counterpart would have more than one channel."""
    return draft.case is None and bool(draft.external) and bool(draft.extra)


def left_directory(draft: Draft) -> Found:
    """The address that asked left the directory, or belongs to another contact now."""
    return (draft.origin,) if draft.external and draft.case and draft.case.origin and not draft.counterpart else ()


def no_key(draft: Draft) -> Found:
    """It must leave encrypted, and there is no usable key."""
    return draft.keyless if draft.leaves and draft.encrypts else ()


def verified_tls(draft: Draft) -> Found:
    """The directory asks for an authenticated hop, and no relay promises one."""
    if draft.encrypts and draft.rules.encrypted_without_tls:
        return False
    return bool(draft.external) and draft.hop is TlsLevel.VERIFIED and not draft.settings.outbound.relay_verified


def open_to_partner(draft: Draft) -> Found:
    """What goes to a domestic partner would leave in clear over a hop that nobody authenticates."""
    if draft.settings.outbound.relay_verified:
        return ()
    return tuple(one for one in draft.partners if not draft.encrypts or one in draft.unreadable_for)


def inside(draft: Draft) -> Found:
    """Only recipients inside the institution, from the contact point."""
    return not draft.external and not draft.partners and bool(draft.recipients) and draft.is_own(draft.sender)


def to_partner(draft: Draft) -> Found:
    """A forward to domestic partners, encrypted or over a verified hop."""
    return not draft.external and bool(draft.partners) and draft.from_mailbox


def by_exception(draft: Draft) -> Found:
    """Exceptions free this very mail from every row that refused or held it."""
    return bool(draft.exempt) and (answer(draft) or own_request(draft))


def keeps_channel(draft: Draft) -> bool:
    """The five conditions of CHANNEL A1 at once, and not one taken from the rows above."""
    return (
        draft.from_mailbox
        and bool(draft.external)
        and not draft.extra
        and not _shut_out(draft)
        and draft.addressed
        and all(draft.is_reachable(one) for one in draft.external)
        and not (draft.encrypts and draft.keyless)
    )


def _shut_out(draft: Draft) -> tuple[str, ...]:
    """Colleagues who may not stand in copy of this mail."""
    if draft.encrypts:
        return () if "R22" in draft.exempt else draft.unreadable_for
    return () if draft.rules.colleague_in_copy or "R0" in draft.exempt else draft.colleagues


def own_request(draft: Draft) -> Found:
    """A new request to one verified contact point or provider; whatever names a case is none."""
    resolution = draft.resolution
    if resolution is None or resolution.conflict or resolution.several or resolution.unbound:
        return False
    return draft.case is None and keeps_channel(draft)


def answer(draft: Draft) -> Found:
    """An answer to the address that asked."""
    return draft.case is not None and keeps_channel(draft)


def encrypted_by_client(draft: Draft) -> Found:
    """The officer's client encrypted: opened, signed by our key and encrypted again."""
    return answer(draft) and draft.encrypted_to is not None


def lost_thread(draft: Draft) -> bool:
    """The case was found in another way than by the ids that tie a thread."""
    return draft.resolution is not None and draft.resolution.by != "thread"


def repaired_answer(draft: Draft) -> Found:
    """An answer that lost its thread gets it back."""
    return answer(draft) and lost_thread(draft)


def answer_of_encrypted(draft: Draft) -> Found:
    """An answer in clear to what was encrypted."""
    return answer(draft) and draft.encrypts


def answer_of_delegate(draft: Draft) -> Found:
    """An answer that names its writer in Sender, which does not leave."""
    return answer(draft) and draft.message.header.first("sender") is not None


def answer_with_own_copy(draft: Draft) -> Found:
    """An answer with a copy to the contact point itself."""
    return answer(draft) and any(draft.is_own(one) for one in draft.recipients)
