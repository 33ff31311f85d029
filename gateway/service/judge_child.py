"""One judge: a process that reads hostile mail, has no database, and may be killed at any moment.

Born in the nursery; talks frames (wire.py): requests come pickled from the service, which it trusts; what it answers is JSON,
because the service does not trust it.
"""

import contextlib
import os
import pickle
import resource
import socket
from dataclasses import replace
from typing import NoReturn, assert_never

from gateway import log
from gateway.model.trust import DnsAnswer
from gateway.pipeline.inward import assess, inward
from gateway.pipeline.outward import outward
from gateway.pipeline.tools import Tools
from gateway.service.requests import (
    DISPATCH,
    OUTCOME,
    VERDICT,
    AssessArrival,
    JudgeAnswer,
    JudgeArrival,
    Request,
    pack,
)
from gateway.service.tools import recorded_check
from gateway.service.wire import receive, send

MAX_MEMORY_BYTES = 2 << 30
MAX_FILE_BYTES = 512 << 20


def serve(link: socket.socket, tools: Tools) -> NoReturn:
    """Answer requests until the service closes the link, or until one defeats us."""
    # a group of our own, made by both sides: whoever kills the judge kills the gpg it waits for
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(EOFError, ConnectionError):
        while _serve_one(link, tools):
            pass
    os._exit(0)


def _serve_one(link: socket.socket, tools: Tools) -> bool:
    """Answer one request; after a fault of ours this judge ends, so that the next message meets a fresh one."""
    _, (packed, content) = receive(link)
    request: Request = pickle.loads(packed)  # noqa: S301 from the service, which is the more trusted side
    try:
        _answer(link, request, content, tools)
    except Exception as error:  # noqa: BLE001 any fault over one message is one judge lost, and says where
        log.alarm("judge-failed", error=log.fault(error))
        return False
    return True


def _remembering(tools: Tools, dns: tuple[DnsAnswer, ...] | None) -> Tools:
    """The tools with these answers in place of DNS, if there are any."""
    if dns is None:
        return tools
    return replace(tools, check=recorded_check(dns, trusted_sealers=tools.settings.arc.trusted_sealers))


def _answer(link: socket.socket, request: Request, content: bytes, tools: Tools) -> None:
    match request:
        case JudgeArrival(arrival, facts, dns):
            outcome = inward(replace(arrival, content=content), facts, _remembering(tools, dns))
            mails, blobs = pack(outcome.receipts)
            light = replace(outcome, receipts=mails, prepend=b"")
            send(link, OUTCOME.dump_json(light), (outcome.prepend, *blobs))
        case AssessArrival(arrival, facts, dns, reveal, trace):
            known = _remembering(tools, dns)
            found = assess(replace(arrival, content=content), facts, known, reveal=reveal, trace=trace)
            send(link, VERDICT.dump_json(found.verdict))
        case JudgeAnswer(envelope, candidates, reference, at, waived):
            dispatch = outward(
                content, envelope, candidates=candidates, reference=reference, tools=tools, at=at, waived=waived
            )
            mails, blobs = pack(dispatch.mails)
            send(link, DISPATCH.dump_json(replace(dispatch, mails=mails)), blobs)
        case _:
            assert_never(request)
