"""`python -m goldenseal` is the `goldenseal` command."""

from goldenseal.cli import main

main()
