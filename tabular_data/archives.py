"""What the standard library raises for an archive that is damaged, encrypted or packed in an unknown way."""

from __future__ import annotations

import lzma
import struct
import tarfile
import zipfile
import zlib

# RuntimeError: encrypted; its kind NotImplementedError: an unknown method; KeyError and OverflowError: a directory
# that leads nowhere; EOFError: bz2's, cut off.
DAMAGED = (
    OSError,
    EOFError,
    KeyError,
    OverflowError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)
