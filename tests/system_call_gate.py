"""Let a program do its work until one exact change of the disk, and kill it there or let that change fail.

    python system_call_gate.py DIRECTORY COMMAND...

becomes COMMAND, watched by a child. `DIRECTORY/plan` (see `gate_plan.py`) says what happens to which change, and may be
replaced at any time; every change that fits is written to `DIRECTORY/record`. All threads are counted together, in the
order in which the kernel sees them: strace counts each thread and each call apart, so it cannot say "the n-th".

A seccomp filter stops the program at calls that change a disk; everything else runs at full speed.
"""

import ctypes
import errno
import json
import os
import platform
import signal
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from gate_plan import KILL, Plan

# Numbers of x86_64, and where the call has its path: argument `path`, relative to the directory in argument `at`; or
# the file of descriptor `fd`.
_CREATE = os.O_CREAT | os.O_TRUNC
AT_FDCWD = -100


@dataclass(frozen=True)
class _Call:
    name: str
    path: int | None = None
    at: int | None = None
    fd: int | None = None
    flags: int | None = None


CALLS = {
    1: _Call("write", fd=0),
    2: _Call("open", path=0, flags=1),
    18: _Call("pwrite64", fd=0),
    20: _Call("writev", fd=0),
    74: _Call("fsync", fd=0),
    75: _Call("fdatasync", fd=0),
    77: _Call("ftruncate", fd=0),
    82: _Call("rename", path=1),
    83: _Call("mkdir", path=0),
    84: _Call("rmdir", path=0),
    86: _Call("link", path=1),
    87: _Call("unlink", path=0),
    257: _Call("openat", path=1, at=0, flags=2),
    258: _Call("mkdirat", path=1, at=0),
    263: _Call("unlinkat", path=1, at=0),
    264: _Call("renameat", path=3, at=2),
    265: _Call("linkat", path=3, at=2),
    285: _Call("fallocate", fd=0),
    306: _Call("syncfs", fd=0),
    316: _Call("renameat2", path=3, at=2),
}

_PTRACE_CONT, _PTRACE_SEIZE, _PTRACE_LISTEN, _PTRACE_GETREGS, _PTRACE_SETREGS = 7, 0x4206, 0x4208, 12, 13
_OPTIONS = 0x2 | 0x4 | 0x8 | 0x80  # fork, vfork, clone, seccomp
_EVENT_SECCOMP, _EVENT_STOP = 7, 128
_WALL = 0x40000000
_REGISTERS = 27
_RAX, _ORIG_RAX, _ARGUMENTS = 10, 15, (14, 13, 12, 7, 9, 8)
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _PR_SET_PTRACER = 38, 22, 0x59616D61
_ALLOW, _TRACE = 0x7FFF0000, 0x7FF00000

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _ptrace(request: int, pid: int, data: ctypes.Array[ctypes.c_ulonglong] | int | None = None) -> None:
    pointer = data if isinstance(data, ctypes.Array) else ctypes.c_void_p(data)
    _checked(_libc.ptrace(ctypes.c_long(request), ctypes.c_long(pid), None, pointer), f"ptrace {request}")


class Gate:
    """Watches one program with all its threads."""

    def __init__(self, directory: Path):
        self._plan_path = directory / "plan"
        self._record = (directory / "record").open("a", buffering=1)
        self._plan = Plan()
        self._plan_mark: tuple[int, int] | None = None
        self._count = 0

    def watch(self) -> None:
        """Go on until the program has ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, _WALL)
            except ChildProcessError:
                return
            if os.WIFSTOPPED(status):
                self._stopped(pid, status)

    def _stopped(self, pid: int, status: int) -> None:
        number, event = os.WSTOPSIG(status), status >> 16
        try:
            if event == _EVENT_SECCOMP:
                self._at_call(pid)
                number = 0
            elif event == _EVENT_STOP and number in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
                return _ptrace(_PTRACE_LISTEN, pid)
            elif event:
                number = 0
            _ptrace(_PTRACE_CONT, pid, int(number))
        except OSError as error:
            if error.errno != errno.ESRCH:  # killed meanwhile
                raise

    def _at_call(self, pid: int) -> None:
        registers = (ctypes.c_ulonglong * _REGISTERS)()
        _ptrace(_PTRACE_GETREGS, pid, registers)
        call = CALLS[registers[_ORIG_RAX]]
        arguments = [registers[place] for place in _ARGUMENTS]
        if call.flags is not None and not arguments[call.flags] & _CREATE:
            return
        self._look_at_plan()
        path = self._path_of(pid, call, arguments)
        if path is None or not self._plan.fits(call.name, path):
            return
        self._count += 1
        action = self._plan.action if self._plan.acts_at(self._count) else None
        self._record.write(json.dumps([self._plan.name, self._count, call.name, path, action]) + "\n")
        if action == KILL:
            os.kill(pid, signal.SIGKILL)
        elif action is not None:
            registers[_ORIG_RAX] = 2**64 - 1
            registers[_RAX] = 2**64 - getattr(errno, action)
            _ptrace(_PTRACE_SETREGS, pid, registers)

    def _look_at_plan(self) -> None:
        try:
            facts = self._plan_path.stat()
        except FileNotFoundError:
            return
        mark = (facts.st_ino, facts.st_mtime_ns)
        if mark != self._plan_mark:
            self._plan_mark = mark
            self._plan = Plan.parse(self._plan_path.read_text())
            self._count = 0

    def _path_of(self, pid: int, call: _Call, arguments: list[int]) -> str | None:
        try:
            if call.fd is not None:
                return str(Path(f"/proc/{pid}/fd/{arguments[call.fd]}").readlink())
            assert call.path is not None
            path = _text_at(pid, arguments[call.path])
            if path.startswith("/"):
                return path
            number = ctypes.c_int(arguments[call.at] & 0xFFFFFFFF).value if call.at is not None else AT_FDCWD
            base = Path(f"/proc/{pid}/cwd" if number == AT_FDCWD else f"/proc/{pid}/fd/{number}").readlink()
            return str(base / path)
        except OSError:
            return None


def _text_at(pid: int, address: int) -> str:
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        memory.seek(address)
        found = b""
        while b"\0" not in found and len(found) < 8192:
            # Up to the end of a page: the next one may not be there.
            found += memory.read(4096 - (address + len(found)) % 4096)
    return os.fsdecode(found.partition(b"\0")[0])


def _filter_calls() -> None:
    """Stop at the calls of the table, let all others pass."""
    numbers = sorted(CALLS)
    code = [struct.pack("HBBI", 0x20, 0, 0, 0)]  # load the number of the call
    for place, number in enumerate(numbers):
        code.append(struct.pack("HBBI", 0x15, len(numbers) - place, 0, number))
    code += [struct.pack("HBBI", 0x06, 0, 0, _ALLOW), struct.pack("HBBI", 0x06, 0, 0, _TRACE)]
    buffer = ctypes.create_string_buffer(b"".join(code))
    program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(buffer))
    _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl no_new_privs")
    _checked(_libc.prctl(_PR_SET_SECCOMP, 2, program, 0, 0), "prctl seccomp")


def main(arguments: list[str]) -> None:
    """Be watched by a child, and become the command."""
    directory, command = Path(arguments[0]), arguments[1:]
    if platform.machine() != "x86_64":
        raise SystemExit("the gate knows the calls of x86_64 only")
    target = os.getpid()
    read, write = os.pipe()
    _libc.prctl(_PR_SET_PTRACER, ctypes.c_ulong(2**64 - 1), 0, 0, 0)
    if os.fork() == 0:
        # A grandchild, so that the command finds no child of its own that it does not know.
        if os.fork() == 0:
            os.setsid()
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            for descriptor in (0, 1):
                os.close(descriptor)
            _ptrace(_PTRACE_SEIZE, target, _OPTIONS)
            os.write(write, b"x")
            os.close(write)
            Gate(directory).watch()
        os._exit(0)
    os.close(write)
    os.wait()
    if os.read(read, 1) != b"x":
        raise SystemExit("the gate cannot watch the program: ptrace is not allowed here")
    os.close(read)
    _filter_calls()
    os.execvp(command[0], command)  # noqa: S606 - what the test says


if __name__ == "__main__":
    main(sys.argv[1:])
