"""Reads a zip with Python's zipfile.

usage: zip.py < {"path"} > members.json
"""

import json
import sys
import zipfile

with zipfile.ZipFile(json.load(sys.stdin)["path"]) as archive:
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
json.dump(members, sys.stdout)
