"""`goldenseal export`: a sealed record in the forms that other tools read."""

from pathlib import Path
from typing import Annotated

import typer

from goldenseal.errors import UsageError
from goldenseal.terminal import AsJson, print_json

EXAMPLES = (
    "Examples:  goldenseal export records/a/b --ro-crate crate.zip   ·   "
    "goldenseal export records/a/b --ro-crate b-ro-crate-metadata.json --detached   ·   "
    "goldenseal export records/a/b --model-card README.md"
)
EXAMPLE_LICENCE = "https://spdx.org/licenses/Apache-2.0"


def export(
    record: Annotated[Path, typer.Argument(help="A sealed record's folder.")],
    ro_crate: Annotated[
        Path | None, typer.Option(help="Write a Process Run Crate: a new folder, or NAME.zip.")
    ] = None,
    detached: Annotated[
        bool,
        typer.Option("--detached", help="Of a crate: only its metadata, in NAME.json; no copy."),
    ] = False,
    base: Annotated[
        str,
        typer.Option(
            help="Of a detached crate: the address of the record's folder; else its identity is."
        ),
    ] = "",
    model_card: Annotated[
        Path | None,
        typer.Option(help="Write a Hugging Face card: NAME.md, or a new folder with its evidence."),
    ] = None,
    license: Annotated[
        str,
        typer.Option(
            help="Of a crate: address of a licence; the record's own LICENSE if left out."
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Write a sealed record in another form: docs/exports.md. The record itself never changes."""
    if (ro_crate is None) == (model_card is None):
        raise UsageError("say in which form: --ro-crate DIR|NAME.zip or --model-card DIR|NAME.md")
    if license and "://" not in license:
        raise UsageError(f"--license {license}: expected an address, such as {EXAMPLE_LICENCE}")
    if base and "://" not in base:
        raise UsageError(
            f"--base {base}: expected an address, such as https://example.org/records/a"
        )
    if (detached and ro_crate is None) or (base and not detached):
        raise UsageError("--detached is of --ro-crate NAME.json, and --base of --detached")
    if detached != (ro_crate is not None and ro_crate.suffix.lower() == ".json"):
        raise UsageError("--ro-crate NAME.json and --detached go together: metadata without a copy")
    if ro_crate is not None:
        from goldenseal.export.package import write_crate, write_detached

        done = (
            write_detached(record, ro_crate, license, base)
            if detached
            else write_crate(record, ro_crate, license)
        )
    elif model_card is not None:
        from goldenseal.export.card import write_card

        done = write_card(record, model_card)
    if as_json:
        print_json(done)
    else:
        print(f"{done['path']}: {done['files']} files, of the record {done['identity'][:16]}")
