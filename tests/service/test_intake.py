"""A 250 comes after the commit; whatever goes wrong before is an exception, which the listener turns into 451."""

import asyncio
import threading
from datetime import UTC, datetime

import pytest

from gateway.errors import StoreUnavailable
from gateway.model.message import Envelope, Incoming, Source
from gateway.service.intake import Intake

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)


class Bytes:
    size, sha256 = 0, ""

    def chunks(self):
        return iter(())


def incoming(sender):
    return Incoming("m@x.example", NOW, Source.SMTP, Envelope(mail_from=sender, rcpt_tos=()), Bytes())


class Store:
    """Numbers what it takes in; has a fault over some senders, or holds everybody up first."""

    def __init__(self, *, fault=None, over=(), hold=None):
        self.batches, self.fault, self.over, self.hold = [], fault, over, hold

    def __call__(self, batch):
        if self.hold is not None:
            self.hold.wait(5)
        self.batches.append([one.envelope.mail_from for one in batch])
        if any(one.envelope.mail_from in self.over for one in batch):
            raise self.fault
        return tuple(range(1, len(batch) + 1))


def offer(store, *senders):
    """The replies, or what was raised instead, in the order of the senders."""

    async def all_at_once():
        intake = Intake(take_in=store, arrived=lambda _: None)
        waiting = [asyncio.ensure_future(intake.accept(incoming(one))) for one in senders]
        await asyncio.sleep(0.05)
        if store.hold is not None:
            store.hold.set()
        try:
            return await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 5)
        finally:
            await asyncio.get_running_loop().run_in_executor(None, intake.close)

    return asyncio.run(all_at_once())


def test_each_hears_250_after_the_commit():
    assert offer(Store(), "a", "b")[0].startswith("250 2.0.0 ")


def test_those_who_come_together_share_a_commit():
    store = Store(hold=threading.Event())
    replies = offer(store, *"abcdef")
    assert all(reply.startswith("250 ") for reply in replies)
    assert len(store.batches) <= 2


def test_whoever_is_alone_waits_for_no_other_thread():
    threads = []

    async def one(alone):
        intake = Intake(take_in=lambda _: threads.append(threading.get_ident()) or (7,), arrived=lambda _: None)
        intake.alone = lambda: alone
        assert await intake.accept(incoming("a")) == "250 2.0.0 Ok: accepted as 7"
        await asyncio.get_running_loop().run_in_executor(None, intake.close)

    asyncio.run(one(alone=True))
    asyncio.run(one(alone=False))
    assert [thread == threading.get_ident() for thread in threads] == [True, False]


@pytest.mark.parametrize("fault", [StoreUnavailable("locked"), OSError(28, "No space left on device")])
def test_nobody_hears_250_without_a_commit(fault, capfd):
    (reply,) = offer(Store(fault=fault, over=("a",)), "a")
    assert reply is fault


@pytest.mark.parametrize(
    "fault", [OSError("canary"), ValueError("canary"), UnicodeEncodeError("utf-8", "canary", 0, 1, "x")]
)
def test_a_fault_over_one_message_refuses_that_one_alone(fault, capfd):
    store = Store(fault=fault, over=("bad",), hold=threading.Event())
    first, good, bad, other = offer(store, "first", "good", "bad", "other")
    assert [one.startswith("250 ") for one in (first, good, other)] == [True] * 3
    assert bad is fault
    assert "canary" not in "".join(capfd.readouterr())


def test_after_a_fault_the_next_message_is_taken_in(capfd):
    async def one_after_the_other():
        intake = Intake(take_in=Store(fault=ValueError(), over=("bad",)), arrived=lambda _: None)
        with pytest.raises(ValueError):
            await intake.accept(incoming("bad"))
        reply = await asyncio.wait_for(intake.accept(incoming("good")), 5)
        intake.close()
        return reply

    assert asyncio.run(one_after_the_other()).startswith("250 ")


def test_who_leaves_meanwhile_disturbs_nobody():
    async def leaving():
        store = Store(hold=threading.Event())
        intake = Intake(take_in=store, arrived=lambda _: None)
        waiting = [asyncio.ensure_future(intake.accept(incoming(one))) for one in "ab"]
        await asyncio.sleep(0.05)
        waiting[0].cancel()
        store.hold.set()
        reply = await asyncio.wait_for(waiting[1], 5)
        await asyncio.get_running_loop().run_in_executor(None, intake.close)
        return reply

    assert asyncio.run(leaving()).startswith("250 ")
