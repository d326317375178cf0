"""What `goldenseal init` guesses from the options of a command: what makes a run short, which of
them are features, and how it goes on where it was interrupted.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from goldenseal.ladder.events import Option
from goldenseal.ladder.probe import Resume
from goldenseal.ladder.program import Program

# What makes a run short, by how such options are called; in each a small value.
STEPS = r"(max_?|num_?|train_?|total_?)*(iters|iterations|steps|updates)"
EPOCHS = r"(max_?|num_?|train_?|n_?)*epochs?"
SHORT: tuple[tuple[str, int], ...] = (
    (STEPS, 5),
    (EPOCHS, 1),
    (r"(eval|val|test)_?(iters|batches|steps)", 2),
    (r"(eval|val|save|checkpoint|ckpt)_?(interval|every|freq)", 2),
    (r"log_?(interval|every|steps|freq)|logging_steps", 1),
    (r"warmup_?(iters|steps|iterations)?", 2),
)
# What makes a step cheap. A small batch makes an epoch longer, so it counts where steps do.
SMALL: tuple[tuple[str, int], ...] = (
    (r"(train_|micro_|mini_|per_device_(train_|eval_)?|eval_|device_)?batch_?size", 4),
    (r"block_size|context(_len|_length|_size)?|n_ctx|(max_)?seq(uence)?_?len(gth)?", 32),
    (r"n_?layers?|num_(hidden_)?layers|layers|depth", 2),
    (r"(gradient_|grad_)?accum(ulate|ulation)?(_grad_batches|_steps|_iters?)?", 2),
)
CHOICES = 8  # of an option: of more, another one is hardly another path of the script
RESUMES = re.compile(
    r"(auto_?)?resume\w*|restart|continue(_training|_from|_run)?|init_from|from_checkpoint"
    r"|(load_|start_)?(ckpt|checkpoint)(_path|_file)?|load(_from|_path)?"
)
CHECKPOINT = re.compile(r"file (\S+\.(?:pt|pth|ckpt|bin|tar|chk))$")


@dataclass
class Guess:
    """What is written, and what could not be guessed.

    batches, steps: where a run is cut. compared: whether it is known which options the baseline
    has: features are then those that it has not, scenarios are other ways through what both have.
    inexact: why a [resume] is written and commented out.
    """

    words: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    link: list[str] = field(default_factory=list)
    device: str = ""
    batches: int = 0
    steps: int = 0
    features: list[tuple[str, str, list[str] | dict[str, str]]] = field(default_factory=list)
    scenarios: list[tuple[str, str, list[str] | dict[str, str]]] = field(default_factory=list)
    compared: bool = False
    resume: Resume | None = None
    inexact: str = ""
    unsure: list[str] = field(default_factory=list)


def plain(name: str) -> str:
    """An option's name without how it is typed."""
    return name.rpartition(".")[2].lstrip("-").replace("-", "_").lower()


def literal(text: str) -> object:
    """The value behind an option's text; None for what is no plain value."""
    try:
        value = ast.literal_eval(text)
        return int(value) if isinstance(value, str) and value.isdigit() else value
    except (ValueError, SyntaxError):
        return None


def is_typed(name: str, program: Program) -> bool:
    """Whether the command sets an option itself."""
    typed = " ".join(program.arguments)
    return re.search(rf"(?<![\w.]){re.escape(name.lstrip('-'))}(?![\w-])", typed) is not None


def typed(name: str, kind: str, value: str) -> list[str]:
    """An option as words of a command."""
    if kind in ("constant", "setting"):
        return [f"{'' if name.startswith('--') or kind == 'setting' else '--'}{name}={value}"]
    return [f"{name}={value}"] if kind == "override" else [name, value]


def shorten(guess: Guess, options: Mapping[str, Option], program: Program) -> None:
    """Add small values for what decides how long a run takes, unless the command sets it."""
    for pattern, value in SHORT:
        counts = pattern == STEPS  # of steps, no limit is a value, too: None, or -1
        _set(guess, options, program, pattern, value, counts)


def shrink(guess: Guess, options: Mapping[str, Option], program: Program) -> bool:
    """Add small values for what decides how long a step takes; whether there are any."""
    before = list(guess.words), dict(guess.environment)
    names = [name for name in options if re.fullmatch(STEPS, plain(name))]
    for pattern, value in SMALL[0 if names or guess.batches else 1 :]:
        _set(guess, options, program, pattern, value)
    return before != (guess.words, guess.environment)


def _set(
    guess: Guess,
    options: Mapping[str, Option],
    program: Program,
    pattern: str,
    value: int,
    unlimited: bool = False,
) -> None:
    for name, option in options.items():
        number = literal(option.value)
        if option.kind == "field" or not re.fullmatch(pattern, plain(name)):
            continue
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        is_none = unlimited and (option.value == "None" or number == -1)
        too_large = isinstance(number, int | float) and is_number and number > value
        if not (too_large or is_none) or is_typed(name, program):
            continue
        if option.kind == "variable":
            if name not in program.variables:
                guess.environment[name] = str(value)
        else:
            guess.words += typed(name, option.kind, str(value))


def guess_features(
    guess: Guess,
    options: Mapping[str, Option],
    program: Program,
    known: Callable[[str], bool] | None = None,
) -> None:
    """Options that default to off: a flag, a false, a zero that is called as a weight or a rate.

    known: whether the baseline has an option of that name; None when there is none to be seen. What
    it has is no feature but another way to run both sides, as is another of an option's choices.
    """
    guess.compared = known is not None
    for name, option in sorted(options.items()):
        value, called = literal(option.default), plain(name)
        if option.kind == "field" or option.default != option.value or is_typed(name, program):
            continue
        if re.search(r"seed|resume|debug|verbose|wandb|log|save|compile|device|rank|port", called):
            continue
        if re.search(r"only|dry|profile|cuda|accel|worker|restart|overwrite|quiet|help", called):
            continue
        if re.search(r"pin_|determin|warning|benchmark|insert|push_to|cpu$|dtype", called):
            continue
        found = guess.features if known is None or not known(name) else guess.scenarios
        other = next((c for c in option.choices if c not in (str(value), option.default)), "")
        if other and option.default not in ("None", "''"):
            if found is guess.scenarios and len(option.choices) <= CHOICES:
                found.append((f"{called} {other}", "args", [name, other]))
            continue
        counted = re.search(r"start|epoch|offset|min|index|id$", called)
        if not (value is False or (value == 0 and value is not None and not counted)):
            continue
        on = "1" if type(value) is int else "0.1"
        if option.kind == "variable":
            found.append((called, "env", {name: "1"}))
        elif option.kind == "option":
            found.append((called, "args", [name] if value is False else [name, on]))
        else:
            yes = "true" if option.kind == "override" else "True"
            words = typed(name, option.kind, yes if value is False else on)
            how = "overrides" if option.kind == "override" else "args"
            found.append((called, how, words))
    if not guess.features:
        had = ", which HEAD has not" if guess.scenarios else ""
        guess.unsure.append(
            f"which option{had} is your feature: add a [[feature]] with what turns it on"
        )


def ways_to_resume(
    options: Mapping[str, Option], program: Program, written: Iterable[str], source: str
) -> Iterator[tuple[list[str], dict[str, str]]]:
    """(arguments, variables) with which a command may go on where it was interrupted.

    written: what its events are called, files among them. source: the text of the script.
    """
    files = [match[1] for where in written if (match := CHECKPOINT.fullmatch(where))]
    says_resume = re.search(r"""["']resume["']""", source) is not None
    for name, option in sorted(options.items(), key=lambda each: "resume" not in each[0].lower()):
        if option.kind == "field" or not RESUMES.fullmatch(plain(name)) or is_typed(name, program):
            continue
        value = literal(option.value)
        if value is False and option.kind == "option":
            yield [name], {}
            continue
        if value is False or value == 0:
            texts = ["true" if option.kind == "override" else "True" if value is False else "1"]
        elif value in (None, ""):
            texts = [*files, *(["1"] if option.kind == "variable" and not files else [])]
        else:
            texts = ["resume"] if says_resume and isinstance(value, str) else []
        for text in texts:
            if option.kind == "variable":
                yield [], {name: text}
            else:
                yield typed(name, option.kind, text), {}
