"""One heap for all threads of a process that serves."""

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, re, threading
from gateway.processes.heap import share_heap

share_heap()
malloc = ctypes.CDLL(None).malloc
malloc.restype = ctypes.c_void_p
together = threading.Barrier(4)


def take():
    together.wait()
    assert malloc(100_000)
    together.wait()


threads = [threading.Thread(target=take) for _ in range(4)]
for each in threads:
    each.start()
for each in threads:
    each.join()
text = ctypes.create_string_buffer(100_000)
stream = ctypes.CDLL(None)
stream.fmemopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(stream.fmemopen(text, len(text), b"w"))
stream.malloc_info(0, file)
stream.fclose(file)
print(len(re.findall(b"<heap nr=", text.value)))
"""
"""Prints over how many heaps four threads at once are spread: malloc_info(3)."""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has a heap per thread")
@pytest.mark.parametrize(("number", "heaps"), [(None, 1), ("2", 2)])
def test_threads_share_a_heap(number: str | None, heaps: int) -> None:
    """There is one, or as many as the environment says."""
    others = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"}
    environment = others if number is None else others | {"MALLOC_ARENA_MAX": number}
    command = (sys.executable, "-c", PROGRAM)
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert int(said.stdout) == heaps
