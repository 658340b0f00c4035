"""What processes take of their machine, by the names that Prometheus' client libraries have for it:
prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics."""

import os
import resource
from typing import Self

import msgspec

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Resources(msgspec.Struct, frozen=True, array_like=True):
    """Of one process, or of several together: `cpu` seconds since they began, `memory` in bytes
    that are resident, open file descriptors, and how many there may be."""

    cpu: float
    memory: int = 0
    open_fds: int = 0
    max_fds: int = 0

    def plus(self, other: Self) -> Self:
        return type(self)(
            self.cpu + other.cpu,
            self.memory + other.memory,
            self.open_fds + other.open_fds,
            self.max_fds + other.max_fds,
        )

    def past(self) -> Self:
        """What is still true once the processes have ended: a counter never falls."""
        return type(self)(self.cpu)


def own_resources() -> Resources:
    """Of this process, as Linux tells it; elsewhere, or where it has no descriptor left to look,
    only the CPU."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    try:
        with open("/proc/self/statm", "rb") as file:
            pages = int(file.read().split()[1])
        open_fds = len(os.listdir("/proc/self/fd"))
    except OSError:
        return Resources(cpu)
    return Resources(cpu, pages * _PAGE, open_fds, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
