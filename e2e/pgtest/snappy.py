# Loaded by every Python that has this directory in its PYTHONPATH, under the name sitecustomize.
#
# The compiled part of python3-snappy 0.5.3 (Debian 12) does not work on Python 3.10 and later: "PY_SSIZE_T_CLEAN macro
# must be defined for '#' formats". Its framing format is written in Python and is sound. This puts the same calls to
# libsnappy through ctypes below it, so that stock barman reads and writes .snappy.
import ctypes

import crc32c
import snappy.snappy

_lib = ctypes.CDLL("libsnappy.so.1")
_lib.snappy_max_compressed_length.restype = ctypes.c_size_t
_lib.snappy_max_compressed_length.argtypes = [ctypes.c_size_t]


def _check(status):
    if status != 0:
        raise snappy.snappy.UncompressError("libsnappy answers %d" % status)


def _compress(data):
    size = ctypes.c_size_t(_lib.snappy_max_compressed_length(len(data)))
    out = ctypes.create_string_buffer(size.value)
    _check(_lib.snappy_compress(bytes(data), ctypes.c_size_t(len(data)), out, ctypes.byref(size)))
    return out.raw[: size.value]


def _uncompress(data):
    size = ctypes.c_size_t()
    _check(_lib.snappy_uncompressed_length(bytes(data), ctypes.c_size_t(len(data)), ctypes.byref(size)))
    out = ctypes.create_string_buffer(max(1, size.value))
    _check(_lib.snappy_uncompress(bytes(data), ctypes.c_size_t(len(data)), out, ctypes.byref(size)))
    return out.raw[: size.value]


try:
    snappy.snappy._crc32c(b"")
except SystemError:
    snappy.snappy._crc32c = crc32c.crc32c
    snappy.snappy._compress = _compress
    snappy.snappy._uncompress = _uncompress
except AttributeError:
    pass  # a later python3-snappy, which works
