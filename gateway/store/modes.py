"""Which mode the outward rule was last applied in; each change is an event that is never changed. Applies nothing."""

import json
from datetime import datetime

from sqlalchemy import Connection, select

from gateway.model.settings import Mode
from gateway.store.codec import codec
from gateway.store.events import add_event
from gateway.store.tables import MODES, Happening, events

write_facts, _ = codec(dict[str, str])


def keep_mode(connection: Connection, mode: Mode, *, mailbox: str, now: datetime) -> Mode:
    """The mode before this one; a mailbox that never had another was in `enforce`."""
    last = select(events.c.facts).where(MODES, events.c.mailbox == mailbox).order_by(events.c.id.desc()).limit(1)
    facts = connection.scalar(last)
    before = Mode(json.loads(facts)["mode"]) if facts else Mode.ENFORCE
    if before is not mode:
        changed = write_facts({"mode": mode.value, "before": before.value})
        add_event(connection, Happening.MODE_CHANGED, mailbox=mailbox, at=now, facts=changed)
    return before
