# SPDX-License-Identifier: Apache-2.0
"""Opens, asks, reads and converts models of Espalier: docs/PYTHON.md."""
from ._core import Answer, Checkpoint, Error, Failure, Model, __version__, convert, open, read, set_threads

__all__ = ["Answer", "Checkpoint", "Error", "Failure", "Model", "__version__", "convert", "open", "read", "set_threads"]
