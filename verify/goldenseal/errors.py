"""The errors that Goldenseal raises on purpose. One line each: what, where, what instead.

GoldensealError
├── UsageError          bad command line, environment or input file   (exit code 2)
├── ContradictedError   a promise was checked and does not hold       (exit code 1)
└── CannotCheckError    the check could not be made                   (exit code 3)
"""

EXIT_HOLDS, EXIT_CONTRADICTED, EXIT_USAGE, EXIT_CANNOT_CHECK = 0, 1, 2, 3


class GoldensealError(Exception):
    """Base of the tree; never raised itself."""

    exit_code = EXIT_USAGE


class UsageError(GoldensealError):
    """The input is wrong: the message names the place and a legal alternative."""


class ContradictedError(GoldensealError):
    """The evidence contradicts the promise."""

    exit_code = EXIT_CONTRADICTED


class CannotCheckError(GoldensealError):
    """Nothing was contradicted, but nothing was shown either."""

    exit_code = EXIT_CANNOT_CHECK
