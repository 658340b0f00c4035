"""What the kernel refuses this process for a while (setrlimit(2))."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """As a full disk: no file grows beyond `size` bytes."""
    with _limited(resource.RLIMIT_FSIZE, size):
        yield


@contextmanager
def no_more_files() -> Iterator[None]:
    """No file can be opened; those that are stay so."""
    with _limited(resource.RLIMIT_NOFILE, 0):
        yield


@contextmanager
def few_files() -> Iterator[None]:
    """As on most machines, where a process that wants more open files has to ask for them."""
    with _limited(resource.RLIMIT_NOFILE, 512):
        yield


@contextmanager
def _limited(kind: int, limit: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))
