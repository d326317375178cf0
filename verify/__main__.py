"""`python -m verify` is the `goldenseal` command."""

from verify.cli import main

main()
