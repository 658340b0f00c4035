"""What audio, images and searches of the web cost on top of what text does."""

from typing import Final

from gateway.generation import Extras


class Rates:
    """Nano-dollars per million tokens of text, of audio or of images."""

    def __init__(self, input: int, cached_input: int, output: int) -> None:
        self.input: Final = input
        self.cached_input: Final = cached_input
        self.output: Final = output

    def beside(self, input: int | None, cached_input: int | None, output: int | None) -> "Rates":
        """The rates of audio or images, these being the text's. What has none of its own costs what
        its whole does: cached audio as other audio, if that has one, and else as cached text."""
        as_whole = self.cached_input if input is None else input
        return Rates(
            self.input if input is None else input,
            as_whole if cached_input is None else cached_input,
            self.output if output is None else output,
        )


class Premiums:
    """A model's premiums, below zero where something costs less than text. `web_search`:
    nano-dollars per search."""

    def __init__(self, text: Rates, audio: Rates, image: Rates, web_search: int) -> None:
        self.web_search: Final = web_search
        self._text: Final = text
        self._audio: Final = audio
        self._image: Final = image

    def of_tokens(self, extras: Extras) -> tuple[int, int]:
        """What is added to the price of the tokens, were they all text, and to what their cache
        saved: millionths of nano-dollars."""
        audio, audio_saved = self._of_medium(
            self._audio,
            extras.prompt_audio_tokens,
            extras.cached_audio_tokens,
            extras.completion_audio_tokens,
        )
        image, image_saved = self._of_medium(
            self._image,
            extras.prompt_image_tokens,
            extras.cached_image_tokens,
            extras.completion_image_tokens,
        )
        return audio + image, audio_saved + image_saved

    def _of_medium(
        self, rates: Rates, prompt: int, cached: int, completion: int
    ) -> tuple[int, int]:
        text = self._text
        fresh = rates.input - text.input
        from_cache = rates.cached_input - text.cached_input
        generated = rates.output - text.output
        total = (prompt - cached) * fresh + cached * from_cache + completion * generated
        return total, cached * (fresh - from_cache)
