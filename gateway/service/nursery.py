"""A process that has read rules and keys once and gives birth to judges by fork: a fresh judge is there in milliseconds.

Parent side: `Nursery`. Child side: `main`, started as `python -m gateway.service.nursery FD`. The nursery itself never sees a
message; when the service ends, its control socket closes, and nursery and judges end too.
"""

import contextlib
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading

from gateway import log
from gateway.errors import JudgeDefeated
from gateway.service.equipment import Equipment
from gateway.service.wire import receive, send

START_SECONDS = 60.0
_PID = struct.Struct("!I")


class Nursery:
    """The judges' nursery for one equipment; used by any thread."""

    def __init__(self, equipment: Equipment) -> None:
        self.equipment = equipment
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "gateway.service.nursery", str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        self._control.settimeout(START_SECONDS)
        try:
            send(self._control, b"equipment", (pickle.dumps(equipment),))
            receive(self._control)
        except (OSError, EOFError) as error:
            self.close()
            raise JudgeDefeated(f"the judges' nursery did not start: {error!r}") from error

    def birth(self) -> tuple[socket.socket, int]:
        """A new judge: our end of its link, and its process id; raises JudgeDefeated."""
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._lock:
                socket.send_fds(self._control, [b"J"], [theirs.fileno()])
                (pid,) = _PID.unpack(self._control.recv(_PID.size, socket.MSG_WAITALL))
        except (OSError, struct.error) as error:
            ours.close()
            raise JudgeDefeated(f"the judges' nursery is gone: {error!r}") from error
        return ours, pid

    def close(self) -> None:
        """End the nursery; judges that are at work finish."""
        self._control.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main() -> None:
    """Read the equipment, then fork a judge for each socket that comes."""
    # only now: the service itself needs none of what a judge is made of
    from gateway.service.judge_child import serve
    from gateway.service.tools import make_tools

    control = socket.socket(fileno=int(sys.argv[1]))
    # both end when the service closes their sockets, after the work under way
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    log.set_up()
    _, (packed,) = receive(control)
    equipment: Equipment = pickle.loads(packed)  # noqa: S301 from the service, which is the more trusted side
    tools = make_tools(equipment)
    # dead judges leave no trace: nobody waits for them here
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    send(control, b"ready")
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            serve(socket.socket(fileno=descriptors[0]), tools)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        os.close(descriptors[0])
        control.sendall(_PID.pack(pid))


if __name__ == "__main__":
    main()
