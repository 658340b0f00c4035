"""What a program uses: CPU time, memory and files of a process, its threads and all its
descendants."""

import os
from contextlib import suppress
from pathlib import Path

import msgspec

_PROC = Path("/proc")
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Cpu(msgspec.Struct, frozen=True):
    """Seconds of CPU time, in user space and in the kernel."""

    user: float = 0.0
    system: float = 0.0

    @property
    def total(self) -> float:
        return self.user + self.system

    def __add__(self, other: "Cpu") -> "Cpu":
        return Cpu(self.user + other.user, self.system + other.system)

    def __sub__(self, other: "Cpu") -> "Cpu":
        return Cpu(self.user - other.user, self.system - other.system)


class _Stat(msgspec.Struct, frozen=True):
    """Some fields of proc_pid_stat(5)."""

    parent: int
    cpu: Cpu
    resident: int


def cpu_time(root: int) -> Cpu:
    """The CPU time of `root` and its descendants until now, those that were waited for included."""
    return sum((stat.cpu for stat in _family(root).values()), Cpu())


def resident(root: int) -> int:
    """The resident memory of `root` and its descendants in bytes; shared pages count in each."""
    return sum(residents(root).values())


def residents(root: int) -> dict[int, int]:
    """The same for each process by its id, lowest first."""
    return {pid: stat.resident for pid, stat in _family(root).items()}


def open_files(root: int) -> dict[int, int]:
    """How many descriptors each process has, by its id, lowest first."""
    found: dict[int, int] = {}
    for pid in _family(root):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            found[pid] = len(os.listdir(_PROC / str(pid) / "fd"))
    return found


def _family(root: int) -> dict[int, _Stat]:
    stats = {int(folder.name): _read(folder) for folder in _PROC.glob("[0-9]*")}
    family = {root}
    while more := {
        pid for pid, stat in stats.items() if stat and stat.parent in family and pid not in family
    }:
        family |= more
    return {pid: stat for pid in sorted(family) if (stat := stats.get(pid))}


def _read(folder: Path) -> _Stat | None:
    """None for a process that ended meanwhile."""
    try:
        text = (folder / "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()  # a command's name may hold anything
    user, system, waited_user, waited_system = (int(field) * _TICK for field in fields[11:15])
    return _Stat(
        parent=int(fields[1]),
        cpu=Cpu(user + waited_user, system + waited_system),
        resident=int(fields[21]) * _PAGE,
    )
