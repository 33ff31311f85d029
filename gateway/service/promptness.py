"""How soon each process runs once something has come for it, where others keep every processor busy: who waits on the wire goes first.

Since Linux 6.6 whoever runs may go on for a time slice, however low its priority, while somebody with more to say has just woken up;
since 6.12 one who asks for a shorter slice than its own does not wait for that. Takes no more of the processor than before.
"""

import contextlib
import ctypes
import os
import struct

SERVICE_NICENESS = 5
"""What commits verdicts and delivers gives way to what takes mail in."""
JUDGE_NICENESS = 10
"""A judge and the gpg it runs give way to both. Not lower: judging must go on, at a tenth of a processor's pace, where a flood of
mail takes all of it."""
SLICE_NANOSECONDS = 100_000
"""The shortest the kernel gives; its own is one to three milliseconds, and a message wakes us several times before its 250."""
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274, "riscv64": 274, "ppc64le": 355, "s390x": 345}
"""Number of sched_setattr(2) by machine: neither Python nor most C libraries have a name for it."""
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
"""struct sched_attr in its first version: size, policy, flags, nice, priority, runtime, deadline, period."""


def give_way(niceness: int) -> None:
    """Have this thread, and all that it will start, give way to whoever is less nice; one that is nicer already stays so."""
    os.setpriority(os.PRIO_PROCESS, 0, max(niceness, os.getpriority(os.PRIO_PROCESS, 0)))


def run_promptly() -> bool:
    """Whether the kernel gave this thread, and all that it will start, the short slice; older kernels take it and change nothing."""
    number = _SCHED_SETATTR.get(os.uname().machine)
    if number is None:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    attributes = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, SLICE_NANOSECONDS, 0, 0)
    with contextlib.suppress(OSError):
        call = ctypes.CDLL(None).syscall
        return bool(call(ctypes.c_long(number), 0, ctypes.c_char_p(attributes), 0) == 0)
    return False
