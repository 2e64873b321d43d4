"""The tree of errors. Each is a NassimError and a built-in, so that both ways of catching work.

    NassimError
    ├── UnknownName          LookupError        no algorithm, benchmark or space of that name
    ├── InvalidArchitecture  ValueError         not an architecture of the space
    ├── InvalidNetwork       ValueError         layers that do not fit, or of which nothing is left
    ├── InvalidQuery         ValueError         epochs or metric that the benchmark does not have
    ├── InvalidSetting       ValueError         budget, hyperparameter or option that cannot be used
    ├── MissingData          FileNotFoundError  a table, study or file that is not there
    ├── CorruptData          OSError            a file that is truncated, altered or of another kind
    ├── OutputFailed         OSError            the output folder cannot be written
    ├── MissingDependency    ImportError        an optional package is not installed
    ├── Unsupported          TypeError          the benchmark or space cannot do what was asked
    ├── ProtocolError        RuntimeError       ask/tell out of order, or a replay that departs
    └── Diverged             ArithmeticError    the weights of a search became no numbers: its run ends as failed

Every message says what happened, the value that caused it, and what to do.
"""

from __future__ import annotations


class NassimError(Exception):
    """Root of all errors that nassim raises on purpose."""


class UnknownName(NassimError, LookupError):
    """No algorithm, benchmark or space is registered under the name."""


class InvalidArchitecture(NassimError, ValueError):
    """The text or tuple is not an architecture of the search space."""


class InvalidNetwork(NassimError, ValueError):
    """The layers of a network do not fit each other, or nothing is left of an image."""


class InvalidQuery(NassimError, ValueError):
    """The benchmark has no such epochs, metric or repeat."""


class InvalidSetting(NassimError, ValueError):
    """A budget, hyperparameter or option cannot be used."""


class MissingData(NassimError, FileNotFoundError):
    """A table, study or file is not where it should be."""


class CorruptData(NassimError, OSError):
    """A file is truncated, altered or of another kind."""


class OutputFailed(NassimError, OSError):
    """The output folder cannot be written."""


class MissingDependency(NassimError, ImportError):
    """An optional package is not installed."""


class Unsupported(NassimError, TypeError):
    """The benchmark or search space cannot do what was asked of it."""


class ProtocolError(NassimError, RuntimeError):
    """Ask and tell out of order, or a replay that departs from its record."""


class Diverged(NassimError, ArithmeticError):
    """The weights, losses or scores of a search are no numbers any more. A run ends as ``failed`` and is kept."""
