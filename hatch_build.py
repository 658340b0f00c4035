"""Compiles the way of a request with mypyc into the wheel, out of the same files.

Off unless HATCH_BUILD_HOOK_ENABLE_CUSTOM=1, as it takes a C compiler and a minute. `compiled` and
`interpreted` in pyproject.toml are the patterns of the files that are, and of those among them that
are not. Nothing is written into the source tree, where a stale extension would hide its module.
MYPYC_OPT_LEVEL is the C compiler's optimization level, 3 by default; 0 builds in half the time.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FLAGS = ("-fvisibility=hidden", "-fno-plt", "-w")
"""The functions of an extension call each other directly, not by way of the dynamic linker, which
would let other libraries replace them. Nobody wrote their C, so nobody can heed what a compiler
warns of in it; to look for that would take longer than to compile it unoptimized."""

_FREED = re.compile(
    r"""if [ ] \( (?P<slot>\w+_free_instance) [ ] == [ ] NULL \) [ ] \{ \n
    \s* (?P=slot) [ ] = [ ] self; \n
    (?P<clearing> .*?) \s* return; \n""",
    re.DOTALL | re.VERBOSE,
)
"""The end of an object that mypyc keeps for the next one of its class."""

_OFFERED_LAST = r"""if (\g<slot> == NULL) {
\g<clearing>
if (\g<slot> == NULL) {
\g<slot> = self;
return;
}
"""


class CompileHook(BuildHookInterface[Any]):
    """hatch.pypa.io/latest/plugins/build-hook/reference"""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the extensions, and say where in the wheel they go."""
        if version == "editable":
            return
        self._folder = TemporaryDirectory()
        built = _build(self._sources(), Path(self._folder.name))
        build_data["force_include"] |= built
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """The wheel is written."""
        if version != "editable":
            self._folder.cleanup()

    def _sources(self) -> list[str]:
        root = Path(self.root)
        return [str(path.relative_to(root)) for path in sources(root, self.config)]


def sources(root: Path, patterns: Mapping[str, Sequence[str]]) -> list[Path]:
    """The files that are compiled."""
    found = {path for pattern in patterns["compiled"] for path in root.glob(pattern)}
    left = {path for pattern in patterns["interpreted"] for path in root.glob(pattern)}
    return sorted(found - left)


def _build(files: Sequence[str], folder: Path) -> dict[str, str]:
    """File of an extension -> its place in the wheel."""
    # Imported here, as an environment that does not compile has neither.
    from mypyc.build import mypycify
    from setuptools import Distribution

    library = folder / "lib"
    level = os.environ.get("MYPYC_OPT_LEVEL", "3")
    extensions = mypycify(list(files), opt_level=level, target_dir=str(folder / "c"))
    for code in (folder / "c").rglob("*.c"):
        code.write_text(offered_last(code.read_text()))
    for extension in extensions:
        extension.extra_compile_args = [*extension.extra_compile_args, *_FLAGS]
    command = Distribution({"ext_modules": extensions}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(library), str(folder / "temp")
    command.ensure_finalized()
    command.run()
    return {str(path): str(path.relative_to(library)) for path in library.rglob("*.so")}


def offered_last(code: str) -> str:
    """mypyc's C, in which a freed object is offered to the next one of its class only when it is
    cleared.

    mypyc 2.4 offers it before. Then what its fields let go of can begin another such coroutine, or
    another thread can, which takes the object and loses its arguments to the rest of the clearing.
    RuntimeError where the C is not as it is known here.
    """
    mended, count = _FREED.subn(_OFFERED_LAST, code)
    if count != code.count("_free_instance = self;"):
        raise RuntimeError("mypyc frees objects in another way than this build knows")
    return mended
