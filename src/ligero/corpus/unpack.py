"""Packed files (gz, xz, zst, bz2) -> bytes, unpacked as they are read; damage told in one line."""

import bz2
import contextlib
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from ligero.errors import InputError

ENDINGS = (".gz", ".xz", ".zst", ".bz2")
Stream = IO[bytes] | gzip.GzipFile | lzma.LZMAFile | bz2.BZ2File | io.BufferedReader
_DAMAGE = (EOFError, lzma.LZMAError, gzip.BadGzipFile, zlib.error)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Stream]:
    """The bytes of `path`, unpacked as they are read; what fails on the way is an InputError."""
    try:
        with _unpacked(path) as stream:
            yield stream
    except FileNotFoundError:
        raise InputError("no such file", file=path, expected="a file that exists") from None
    except IsADirectoryError:
        raise InputError("a folder", file=path, expected="a file") from None
    except (*_DAMAGE, OSError) as error:  # OSError: bz2's word for damage, and the disk's
        raise damaged(path, error) from None
    except Exception as error:
        # zstandard's class, without its module where no .zst is read.
        if type(error).__name__ == "ZstdError":
            raise damaged(path, error) from None
        raise


def damaged(path: Path, error: Exception) -> InputError:
    """The error to raise for a file that `error` says cannot be read (to its end)."""
    reason = str(error) or type(error).__name__
    return InputError(f"an unreadable file ({reason})", file=path, expected="an undamaged one")


def _unpacked(path: Path) -> Stream:
    match path.suffix.lower():
        case ".gz":
            return gzip.open(path, "rb")
        case ".xz":
            return lzma.open(path, "rb")
        case ".bz2":
            return bz2.open(path, "rb")
        case ".zst":
            return io.BufferedReader(_Frames(path.open("rb")), 1 << 20)
    return path.open("rb")


class _Frames(io.RawIOBase):
    """The content of Zstandard frames, one after the other, as `zstd -d` writes it.

    Python's own module for it comes with 3.14. The library's reader takes a file that is cut off
    within a frame for one that ends there; here that is an EOFError.
    """

    def __init__(self, source: IO[bytes]):
        import zstandard

        self._source, self._decompressor = source, zstandard.ZstdDecompressor()
        self._frame = self._decompressor.decompressobj()
        self._begun = False
        self._ready = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Close the source too."""
        self._source.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer`; 0 at the end."""
        rest = b""
        while not self._ready:
            if self._frame.eof:
                rest = self._frame.unused_data
                self._frame, self._begun = self._decompressor.decompressobj(), False
            data = rest or self._source.read(1 << 17)
            if not data:
                if self._begun:
                    raise EOFError("it ends within a Zstandard frame")
                return 0
            self._begun = True
            self._ready = self._frame.decompress(data)
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count
