"""Reads a zip twice: with Python's zipfile from its directory, and from the front as readers of streams do.

usage: zip.py < {"path"} > members.json
"""

import json
import struct
import sys
import zipfile
import zlib


def read_from_front(path):
    """What Java's ZipInputStream does: believes the local headers, and takes sizes below 4 GiB for 32 bits long."""
    with open(path, "rb") as file:
        rest = file.read()
    members = {}
    while rest.startswith(b"PK\3\4"):
        flags, method, name_length, extra_length = struct.unpack_from("<2xHH16xHH", rest, 4)
        assert flags & 8 and method == 8, (flags, method)
        name = rest[30 : 30 + name_length].decode()
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        text = inflate.decompress(rest[30 + name_length + extra_length :])
        assert inflate.eof, name
        signature, crc, compressed, size = struct.unpack_from("<4sIII", inflate.unused_data)
        assert (signature, crc, size) == (b"PK\7\x08", zlib.crc32(text), len(text)), name
        assert compressed == len(rest) - 30 - name_length - extra_length - len(inflate.unused_data), name
        members[name] = text
        rest = inflate.unused_data[16:]
    assert rest.startswith(b"PK\1\2"), rest[:4]
    return members


path = json.load(sys.stdin)["path"]
with zipfile.ZipFile(path) as archive:
    damaged = archive.testzip()
    assert damaged is None, damaged
    members = [
        {
            "name": info.filename,
            "time": list(info.date_time),
            "mode": oct(info.external_attr >> 16 & 0o777),
            "text": archive.read(info).decode(),
        }
        for info in archive.infolist()
    ]
front = read_from_front(path)
assert list(front) == [member["name"] for member in members], list(front)
assert all(front[member["name"]] == member["text"].encode() for member in members)
json.dump(members, sys.stdout)
