"""What a process gives up before it touches a hostile file. Linux only; each layer that holds is named.

Order matters: limits, own network namespace (as root), another user (as root), no new privileges, files (Landlock),
system calls (seccomp). Everything that is imported later must be readable to the lowered user, so import first.
Not guaranteed: that the kernel has no fault. A layer that the kernel or a container forbids is left out and not named.
"""

import ctypes
import os
import platform
import resource
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SIGKILL = 9
_CLONE_NEWNET = 0x40000000
_SECCOMP_MODE_FILTER = 2
_AUDIT_ARCH: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_MACHINES: Final = ("x86_64", "aarch64")
_REFUSED: Final = {
    "socket": (41, 198),
    "connect": (42, 203),
    "execve": (59, 221),
    "execveat": (322, 281),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "mount": (165, 40),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "pidfd_getfd": (438, 438),
    "open_by_handle_at": (304, 265),
}
"""Numbers of system calls, in the order of `_MACHINES`."""
TGKILL: Final = {"x86_64": 234, "aarch64": 131}
"""Needed to abort, and allowed for the process itself."""
_NUMBERS_END: Final = 0x40000000
"""From here on x86_64 takes numbers of another table (x32): refused."""


def confine(
    *,
    cpu_s: int,
    memory_bytes: int,
    file_bytes: int,
    user_id: int | None,
    readable: Sequence[Path],
    writable: Sequence[Path],
) -> list[str]:
    """Give everything up that the layers of this machine allow to; returns the names of those that hold.

    `user_id` is whom to become, None to stay. CPU time in seconds, sizes in bytes; `file_bytes` is for each file.
    """
    _limit(cpu_s, memory_bytes, file_bytes)
    held = ["limits"]
    if user_id is not None:
        if _libc.unshare(_CLONE_NEWNET) == 0:
            held.append("no-network")
        with suppress(PermissionError):  # root without its rights, as in a container
            os.setgroups([])
            os.setresgid(user_id, user_id, user_id)
            os.setresuid(user_id, user_id, user_id)
            held.append("other-user")
    # After the change of user, which would clear it.
    _libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return held
    if _landlock(readable, writable):
        held.append("files")
    if _seccomp():
        held.append("system-calls")
    return held


def _limit(cpu_s: int, memory_bytes: int, file_bytes: int) -> None:
    for what, most in (
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        hard = resource.getrlimit(what)[1]
        capped = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (capped, capped))


# Landlock (linux/landlock.h): file rights of its first version, all that files can be asked for.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _WRITE, _READ, _READ_DIR = 1, 2, 4, 8
_ALL_RIGHTS: Final = (1 << 13) - 1
_FILE_RIGHTS: Final = _EXECUTE | _WRITE | _READ
_O_PATH: Final = 0o10000000


def _landlock(readable: Iterable[Path], writable: Iterable[Path]) -> bool:
    """Leave these trees and nothing else of the file system. False where the kernel has no Landlock."""
    handled = struct.pack("=Q", _ALL_RIGHTS)
    ruleset = _libc.syscall(_CREATE_RULESET, handled, len(handled), 0)
    if ruleset < 0:
        return False
    try:
        rights = [(path, _EXECUTE | _READ | _READ_DIR) for path in readable]
        for path, allowed in rights + [(path, _ALL_RIGHTS) for path in writable]:
            try:
                place = os.open(path, _O_PATH | os.O_CLOEXEC)
            except OSError:
                continue  # what this user cannot reach needs no rule
            try:
                fitting = allowed & (_ALL_RIGHTS if path.is_dir() else _FILE_RIGHTS)
                rule = struct.pack("=Qi", fitting, place)
                if _libc.syscall(_ADD_RULE, ruleset, 1, rule, 0) != 0:
                    return False
            finally:
                os.close(place)
        return bool(_libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


class _Instruction(ctypes.Structure):
    """One instruction of a classic BPF program (linux/filter.h)."""

    _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint))


class _Program(ctypes.Structure):
    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER_AT, _ARCH_AT, _ARGUMENT_AT = 0, 4, 16
_ALLOW, _NOT_PERMITTED, _END = 0x7FFF0000, 0x00050001, 0x80000000


def _seccomp() -> bool:
    """Refuse the network, other processes and what only an attacker asks for. False where it cannot be done."""
    machine = platform.machine()
    if machine not in _MACHINES:
        return False
    column = _MACHINES.index(machine)
    lines = [(_LOAD, 0, 0, _ARCH_AT), (_IF_EQUAL, 1, 0, _AUDIT_ARCH[machine]), (_RETURN, 0, 0, _END)]
    lines += [(_LOAD, 0, 0, _NUMBER_AT), (_IF_AT_LEAST, 0, 1, _NUMBERS_END), (_RETURN, 0, 0, _NOT_PERMITTED)]
    for number in (numbers[column] for numbers in _REFUSED.values()):
        lines += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _NOT_PERMITTED)]
    lines += [(_IF_EQUAL, 0, 3, TGKILL[machine]), (_LOAD, 0, 0, _ARGUMENT_AT)]
    lines += [(_IF_EQUAL, 1, 0, os.getpid()), (_RETURN, 0, 0, _NOT_PERMITTED), (_RETURN, 0, 0, _ALLOW)]
    code = (_Instruction * len(lines))(*(_Instruction(*line) for line in lines))
    program = _Program(len(lines), code)
    return bool(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0)
