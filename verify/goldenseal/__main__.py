"""`python -m goldenseal` is the `goldenseal` command, and this is where it begins."""

import gc


def main() -> None:
    """Run the command line. What is imported stays, so nobody looks for garbage in it meanwhile:
    `options` in cli.py, which comes before every command, puts the collector back to work.
    """
    gc.disable()
    from goldenseal.cli import main

    gc.freeze()
    main()


if __name__ == "__main__":
    main()
