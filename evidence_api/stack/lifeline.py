"""Children that die with their parent, on Linux by PR_SET_PDEATHSIG (prctl(2))."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent_pid: int, death_signal: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel to send `death_signal` to this process when the thread that forked it ends.

    Called in the child: between fork and exec, and by a worker pool's own children after their start. The setting
    survives exec of an ordinary program and is cleared by a change of user, so change the user first. If the
    parent is already gone this process ends at once. Not guaranteed: grandchildren are not covered, they ask
    for themselves.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)
