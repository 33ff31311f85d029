"""A process that has read rules and keys once and gives birth to judges by fork: a fresh judge is there in milliseconds.

Parent side: `Nursery`. Child side: `main`, started as `python -m gateway.service.nursery FD`. The nursery itself never sees a
message; when the service ends, its control socket closes, and nursery and judges end too.
"""

import contextlib
import gc
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway import log
from gateway.errors import JudgeDefeated
from gateway.service.equipment import Equipment
from gateway.service.promptness import JUDGE_NICENESS, give_way
from gateway.service.wire import receive, send
from gateway.triage.ruleset import parse_tree

if TYPE_CHECKING:
    from gateway.pipeline.tools import Tools

START_SECONDS = 60.0
BIRTH_SECONDS = 10.0
END_SECONDS = 1.0
JUDGE, FOLLOW = b"J", b"F"
"""What is asked to be born: a judge, or a nursery like this one that judges by other rules."""
_PID = struct.Struct("!I")


class Nursery:
    """The judges' nursery for one equipment; used by any thread. One that died is started again when a judge is wanted."""

    def __init__(self, equipment: Equipment, *, parent: "Nursery | None" = None) -> None:
        """With `parent` it is forked from that one, which must have the same equipment but for the rules: that takes no new start."""
        self.equipment = equipment
        self._lock = threading.Lock()
        self._closed = False
        if parent is None:
            self._start()
        else:
            self._follow(parent)

    def birth(self) -> tuple[socket.socket, int]:
        """A new judge: our end of its link, and its process id; raises JudgeDefeated."""
        with self._lock:
            if self._closed:
                raise JudgeDefeated("the judges' nursery is closed")
            try:
                return self._born()
            except (OSError, struct.error) as error:
                log.alarm("nursery-died", error=repr(error), remedy="it is started again; see the kernel's log")
                self._end()
                self._start()
            try:
                return self._born()
            except (OSError, struct.error) as error:
                raise JudgeDefeated(f"the judges' nursery is gone: {error!r}") from error

    def close(self) -> None:
        """End the nursery; judges that are at work finish."""
        with self._lock:
            self._closed = True
            self._end()

    def _start(self) -> None:
        try:
            self._control, theirs = socket.socketpair()
            with theirs:
                command = [sys.executable, "-m", "gateway.service.nursery", str(theirs.fileno())]
                self._process: subprocess.Popen[bytes] | None = subprocess.Popen(
                    command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
                )
        except OSError as error:
            raise JudgeDefeated(f"the judges' nursery cannot be started: {error!r}") from error
        self._prepare(pickle.dumps(self.equipment))

    def _follow(self, parent: "Nursery") -> None:
        self._process = None
        try:
            with parent._lock:  # noqa: SLF001 one class, two of its kind
                self._control, _ = parent._born(FOLLOW)  # noqa: SLF001
        except (OSError, struct.error) as error:
            raise JudgeDefeated(f"the judges' nursery has no successor: {error!r}") from error
        self._prepare(b"")

    def _prepare(self, packed: bytes) -> None:
        """Hand over what it judges with, the rules as already read, and wait until it can."""
        try:
            self._control.settimeout(START_SECONDS)
            send(self._control, b"equipment", (packed, pickle.dumps(parse_tree(self.equipment.rules))))
            receive(self._control, deadline=time.monotonic() + START_SECONDS)
            self._control.settimeout(BIRTH_SECONDS)
        except (OSError, EOFError) as error:
            self._end()
            raise JudgeDefeated(f"the judges' nursery did not start: {error!r}") from error

    def _born(self, kind: bytes = JUDGE) -> tuple[socket.socket, int]:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(self._control, [kind], [theirs.fileno()])
            (pid,) = _PID.unpack(self._control.recv(_PID.size, socket.MSG_WAITALL))
        except (OSError, struct.error):
            ours.close()
            raise
        return ours, pid

    def _end(self) -> None:
        self._control.close()
        if self._process is None:
            # a successor is nobody's child that could be waited for; it ends because its socket is closed
            return
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main() -> None:
    """Read the equipment, then fork a judge for each socket that comes."""
    # only now: the service itself needs none of what a judge is made of
    from gateway.service.judge_child import serve
    from gateway.service.tools import make_tools
    from gateway.triage.ruleset import compile_ruleset

    control = socket.socket(fileno=int(sys.argv[1]))
    # both end when the service closes their sockets, after the work under way
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # a reload is the service's business, also where the signal reaches the whole process group
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    log.set_up()
    _, (packed, tree) = receive(control)
    equipment: Equipment = pickle.loads(packed)  # noqa: S301 from the service, which is the more trusted side
    tools = make_tools(equipment, pickle.loads(tree))  # noqa: S301
    _preload(tools)
    # dead judges leave no trace: nobody waits for them here
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # only now: until a judge can be born nothing is judged, and on a busy machine the start would take a minute
    give_way(JUDGE_NICENESS)
    _settle(control)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            control = socket.socket(fileno=descriptors[0])
            if message == JUDGE:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                serve(control, tools)
            _, (_, tree) = receive(control)
            tools = replace(tools, ruleset=compile_ruleset(pickle.loads(tree)))  # noqa: S301
            _settle(control)
            continue
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        os.close(descriptors[0])
        control.sendall(_PID.pack(pid))


def _preload(tools: "Tools") -> None:
    """Load what the first mail in another language than English would wait for in each judge anew; forks share it."""
    from babel import localedata

    from gateway.triage import language

    language.prepare()
    for tag in {tag for tag, _ in tools.ruleset.receipts}:
        localedata.load(tag)


def _settle(control: socket.socket) -> None:
    """Say that judges may be born; what was made until now lives as long as any of them, and forks go on sharing it."""
    gc.collect()
    gc.freeze()
    send(control, b"ready")


if __name__ == "__main__":
    main()
