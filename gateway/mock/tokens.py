"""The mock's tokenizer: every four characters are a token, the usual rule of thumb for English."""

CHARACTERS = 4
"""Characters per token; a last, shorter piece counts in full."""


def count_tokens(text: str) -> int:
    """How many tokens `text` has."""
    return -(-len(text) // CHARACTERS)


def split_tokens(text: str) -> tuple[str, ...]:
    """`text` as its tokens; joined they are `text` again."""
    return tuple(text[at : at + CHARACTERS] for at in range(0, len(text), CHARACTERS))
