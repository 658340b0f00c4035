"""`python -m tests.screenshots`: the pages as they look on the sample history, into `docs/`."""

import asyncio
import io
import tempfile
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from tests.parts.browsing import open_window
from tests.parts.seeded import KEYS, seeded_gateway

FOLDER = Path(__file__).parent.parent / "docs"
SHOTS = {
    "activity": ("/activity?group_by=user", "light"),
    "users": ("/users", "light"),
    "user": ("/users/user_anna", "dark"),
    "generations": ("/generations", "dark"),
    "providers": ("/providers?days=30", "light"),
}
"""Name -> the address and the colours it is shown in."""

SIZE = {"width": 1280, "height": 860}
_COLOURS = 128


async def take(folder: Path) -> None:
    """One PNG a page, of few colours so that it stays small."""
    with tempfile.TemporaryDirectory() as ledger:
        async with seeded_gateway(Path(ledger), keys=list(KEYS)) as gateway:
            for name, (path, scheme) in SHOTS.items():
                async with open_window(gateway.origin, viewport=SIZE, color_scheme=scheme) as page:
                    await page.goto(f"/login?next={quote(path)}")
                    await page.get_by_label("Key").fill("ops-key")
                    await page.keyboard.press("Enter")
                    await page.wait_for_url(path)
                    picture = Image.open(io.BytesIO(await page.screenshot()))
                small = picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
                small.save(folder / f"page-{name}.png", optimize=True)


if __name__ == "__main__":
    asyncio.run(take(FOLDER))
