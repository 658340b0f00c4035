"""What a mock provider says: always the same words to the same prompt."""

from random import Random

from xxhash import xxh3_64_intdigest

_SENTENCES = (
    "A hearth that is fed before it burns low never has to be lit again.",
    "Let the oven heat for an hour longer than you think it needs.",
    "Brick stores warmth slowly and gives it back even more slowly.",
    "The first loaf goes in when a pinch of flour browns in ten seconds.",
    "Rye asks for patience; wheat only asks for attention.",
    "Sweep the ashes to one side and the floor stays clean for baking.",
    "A kettle on the hob makes the room feel lived in.",
    "Sourdough wakes faster near the chimney than on the window sill.",
    "Dry birch lights quickly, oak keeps the night.",
    "Cover the embers before you sleep and breakfast cooks itself.",
    "Salt the dough late if you want it to rise early.",
    "The crust sings when the loaf meets the cold air.",
    "Soup forgives almost everything except a hurried cook.",
    "Whoever comes home to a warm stove stays a little longer.",
    "Steam in the first ten minutes gives the bread its shine.",
    "Keep one stone for bread and another one for fish.",
    "A draught from the door tells you more than any thermometer.",
    "Yesterday's starter knows this kitchen better than a new one does.",
    "Turn the loaves once, halfway, and leave them alone otherwise.",
    "Good coals are quiet; it is the wet wood that talks.",
    "Honey cake keeps for a month, if it is well hidden.",
    "An iron pot remembers every meal that was cooked in it.",
    "Bank the fire high at the back and the front stays gentle.",
    "Two small ovens never bake as well as one that is always warm.",
)


def answer_to(prompt: str) -> str:
    """Three to twelve sentences, chosen by a hash of `prompt`."""
    dice = Random(xxh3_64_intdigest(prompt.encode()))
    return " ".join(dice.sample(_SENTENCES, dice.randint(3, 12)))
