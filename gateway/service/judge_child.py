"""One judge: a process that reads hostile mail, has no database, and may be killed at any moment.

Started as `python -m gateway.service.judge_child FD`; talks frames (wire.py): requests come pickled from the service, which it
trusts; what it answers is JSON, because the service does not trust it.
"""

import contextlib
import os
import pickle
import resource
import signal
import socket
import sys
import traceback
from dataclasses import replace
from typing import assert_never

from gateway import log
from gateway.pipeline.inward import assess, inward
from gateway.pipeline.outward import outward
from gateway.pipeline.tools import Tools
from gateway.service.equipment import Equipment
from gateway.service.requests import DISPATCH, OUTCOME, VERDICT, AssessArrival, JudgeAnswer, JudgeArrival, Request, pack
from gateway.service.tools import make_tools
from gateway.service.wire import receive, send

MAX_MEMORY_BYTES = 2 << 30
MAX_FILE_BYTES = 512 << 20


def main() -> None:
    """Serve requests until the service closes the link."""
    link = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    log.set_up()
    with contextlib.suppress(EOFError, ConnectionError):
        _, (packed,) = receive(link)
        equipment: Equipment = pickle.loads(packed)  # noqa: S301 from the service, which is the more trusted side
        tools = make_tools(equipment)
        send(link, b"ready")
        while _serve(link, tools):
            pass
    os._exit(0)  # threads of the resolver must not keep a judge without work alive


def _serve(link: socket.socket, tools: Tools) -> bool:
    """Answer one request; after a fault of ours this judge ends, so that the next message meets a fresh one."""
    _, (packed, content) = receive(link)
    request: Request = pickle.loads(packed)  # noqa: S301 as above
    try:
        _answer(link, request, content, tools)
    except Exception as error:  # noqa: BLE001 any fault of the program over one message is one judge lost, and says where
        frame = traceback.extract_tb(error.__traceback__)[-1]
        log.alarm("judge-failed", error=type(error).__name__, file=f"{os.path.basename(frame.filename)}:{frame.lineno}")
        return False
    return True


def _answer(link: socket.socket, request: Request, content: bytes, tools: Tools) -> None:
    match request:
        case JudgeArrival(arrival, facts):
            outcome = inward(replace(arrival, content=content), facts, tools)
            mails, blobs = pack(outcome.receipts)
            light = replace(outcome, receipts=mails, prepend=b"")
            send(link, OUTCOME.dump_json(light), (outcome.prepend, *blobs))
        case AssessArrival(arrival, facts):
            send(link, VERDICT.dump_json(assess(replace(arrival, content=content), facts, tools).verdict))
        case JudgeAnswer(envelope, candidates, reference, at):
            dispatch = outward(content, envelope, candidates=candidates, reference=reference, tools=tools, at=at)
            mails, blobs = pack(dispatch.mails)
            send(link, DISPATCH.dump_json(replace(dispatch, mails=mails)), blobs)
        case _:
            assert_never(request)


if __name__ == "__main__":
    main()
