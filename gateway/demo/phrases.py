"""Who the sample users are, and what they and their system prompts say."""

USERS = tuple(
    f"user_{name}"
    for name in (
        *("anna", "bela", "chidi", "dora", "emre", "fatou", "goran", "hana"),
        *("ines", "jonas", "kemal", "leila", "mika", "nadia", "olga", "paolo"),
        *("quinn", "rosa", "samir", "tove", "umar", "vera", "wanda", "yuki"),
    )
)

ROLES = (
    "You are the kitchen companion of {user}. Answer in plain words and in full sentences.",
    "You help {user} to run a small bakery. Be brief, be exact, and never guess a temperature.",
    "You teach {user} to cook over an open fire. Safety comes first, flavour right after it.",
    "You plan the week's meals for the household of {user} and remember what was left over.",
)
NOTES = (
    "The oven is built of brick, holds four loaves and needs two hours to heat.",
    "There is a cellar at twelve degrees where dough can rest overnight.",
    "Nuts are not eaten in this house, and celery only if it is hidden well.",
    "Weights are given in grams and temperatures in degrees Celsius.",
    "On Thursdays there is market, so fresh fish is only a question before noon.",
    "The fire may not be lit while the wind comes from the east.",
    "A starter of rye and one of wheat stand on the shelf beside the window.",
    "Two guests come on most Sundays and stay until the coffee is finished.",
    "The cast-iron pot is borrowed and has to be back by the end of the month.",
    "Whatever can be baked ahead of time is baked ahead of time.",
    "Answers name the quantity, the time and one sign by which to tell that it is done.",
    "If a question can be read in two ways, ask which one is meant.",
    "The wood in the shed is half birch and half oak, and this year's is still wet.",
    "Milk comes from the neighbour and turns after three days.",
)
SUBJECTS = (
    *("the rye loaf", "the flat bread", "the bean stew", "the apple cake", "the roast roots"),
    *("the fish soup", "the barley porridge", "the plum jam", "the sourdough starter"),
)
QUESTIONS = (
    "How long does {subject} take when the oven has just come down from full heat?",
    "What can go wrong with {subject} if I start it tonight and finish it tomorrow?",
    "Would you make {subject} differently for eleven people than for four?",
    "Yesterday {subject} came out too dry. What should I look at first?",
    "Can {subject} wait on the side of the stove for an hour without harm?",
    "Which of the two kinds of wood is better for {subject}, and why?",
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
