"""An SFTP server with odd habits: OpenSSH's sftp-server behind somebody who watches every packet.

    odd_sftp.py [--root DIR] HABIT... [-- OPTION OF sftp-server...]

Speaks on standard input and output, so that sshd can start it as a subsystem.
"""

import argparse
import os
import struct
import subprocess
import sys
import threading
import time

SERVER = "/usr/lib/openssh/sftp-server"
OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT, OPENDIR, READDIR = 3, 4, 5, 6, 7, 8, 11, 12
STAT, RENAME, EXTENDED = 17, 18, 200
STATUS, HANDLE, DATA, EXTENDED_REPLY = 101, 102, 103, 201
OK, PERMISSION_DENIED, FAILURE = 0, 3, 4
LOOKING = (LSTAT, FSTAT, STAT, OPENDIR, READDIR, READ)
WITH_HANDLE = (CLOSE, READ, WRITE, FSTAT, READDIR)
HANDLE_PREFIX = b"\xff\x00\x80\xc3"  # not UTF-8, and with a zero
SMALL = 1000

HABITS = {
    "one-handle": "refuses to open a second file or directory",
    "one-request": "hangs up on a request that comes before the last one is answered",
    "small-packets": "says that it takes small writes, refuses larger ones, and returns little of a read",
    "write-only": "lets nobody look at files or directories, or read them",
    "takes-renamed": "moves a file away at once when it has been renamed",
    "takes-closed": "moves a file away at once when it has been closed",
    "strange-handles": "has handles that are no text",
    "one-file": "hangs up when a file that something was written to has been closed",
}


def read_packet(stream):
    head = stream.read(4)
    return stream.read(struct.unpack(">I", head)[0]) if len(head) == 4 else b""


def texts(data, count):
    found = []
    for _ in range(count):
        length = struct.unpack(">I", data[:4])[0]
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    return found


def text(data):
    return struct.pack(">I", len(data)) + data


class Odd:
    def __init__(self, habits, root, options):
        self.habits, self.root = habits, root
        pipe = subprocess.PIPE
        self.server = subprocess.Popen([SERVER, *options], stdin=pipe, stdout=pipe)
        self.lock = threading.Lock()
        self.pending = {}  # request number -> (kind, what it is about)
        self.open = {}  # handle -> path of what is written to, else None
        self.filled = set()  # handles that something was written to

    def to_server(self, packet):
        self.server.stdin.write(text(packet))
        self.server.stdin.flush()

    def to_client(self, packet):
        with self.lock:
            sys.stdout.buffer.write(text(packet))
            sys.stdout.buffer.flush()

    def refuse(self, number, code, words):
        self.to_client(struct.pack(">BII", STATUS, number, code) + text(words) + text(b""))

    def hang_up(self):
        self.server.kill()
        os._exit(0)

    def until_the_end(self, work):
        try:
            work()
        finally:
            self.hang_up()

    def take(self, path):
        """Moves a file to the folder of taken ones, which is beside the one that it is in."""
        path = os.path.join(self.root, os.fsdecode(path))
        taken = os.path.join(os.path.dirname(os.path.dirname(path)), "taken")
        if os.path.isfile(path):
            os.rename(path, os.path.join(taken, os.path.basename(path)))

    def requests(self):
        while packet := read_packet(sys.stdin.buffer):
            if packet[0] == 1:  # the greeting, which has no number
                self.to_server(packet)
                continue
            kind, number = packet[0], struct.unpack(">I", packet[1:5])[0]
            if "one-request" in self.habits and self.pending:
                self.hang_up()
            if "strange-handles" in self.habits:
                packet = self.without_prefix(kind, packet)
            refusal = self.judge(kind, packet)
            if refusal:
                self.refuse(number, *refusal)
                continue
            about = self.about(kind, packet)
            if about[0] == "limits":
                limits = (0, SMALL, SMALL, 0)
                self.to_client(struct.pack(">BI4Q", EXTENDED_REPLY, number, *limits))
                continue
            self.pending[number] = about
            self.to_server(packet)

    def about(self, kind, packet):
        if kind == EXTENDED:
            name = texts(packet[5:], 1)[0]
            rest = packet[9 + len(name) :]
            if name == b"posix-rename@openssh.com":
                return ("rename", texts(rest, 2)[1])
            if name == b"fsync@openssh.com":
                return ("fsync", texts(rest, 1)[0])
            if name == b"limits@openssh.com" and "small-packets" in self.habits:
                return ("limits", None)
            return ("other", None)
        if kind == RENAME:
            return ("rename", texts(packet[5:], 2)[1])
        if kind == OPEN:
            path = texts(packet[5:], 1)[0]
            writes = struct.unpack(">I", packet[9 + len(path) : 13 + len(path)])[0] & 2
            return ("open", path if writes else None)
        if kind == WRITE:
            self.filled.add(texts(packet[5:], 1)[0])
        if kind == CLOSE:
            return ("close", texts(packet[5:], 1)[0])
        return ("opendir" if kind == OPENDIR else "other", None)

    def judge(self, kind, packet):
        if "write-only" in self.habits:
            reads = kind == OPEN and self.about(kind, packet)[1] is None
            if kind in LOOKING or reads:
                return PERMISSION_DENIED, b"this directory is only written to"
        if "one-handle" in self.habits and kind in (OPEN, OPENDIR):
            opening = any(what in ("open", "opendir") for what, _ in self.pending.values())
            if self.open or opening:
                return FAILURE, b"one file at a time"
        if "small-packets" in self.habits and kind == WRITE:
            handle = texts(packet[5:], 1)[0]
            if len(packet) - (5 + 4 + len(handle) + 8 + 4) > SMALL:
                return FAILURE, b"too much at once"
        return None

    def without_prefix(self, kind, packet):
        at = 5
        if kind == EXTENDED and b"fsync@openssh.com" in packet[:30]:
            at = 5 + 4 + len(b"fsync@openssh.com")
        elif kind not in WITH_HANDLE:
            return packet
        handle = texts(packet[at:], 1)[0]
        if not handle.startswith(HANDLE_PREFIX):
            self.hang_up()  # this is not what the server called it
        return packet[:at] + text(handle[len(HANDLE_PREFIX) :]) + packet[at + 4 + len(handle) :]

    def replies(self):
        while packet := read_packet(self.server.stdout):
            if packet[0] != 2:
                packet = self.answered(packet)
            self.to_client(packet)

    def answered(self, packet):
        kind, number = packet[0], struct.unpack(">I", packet[1:5])[0]
        if "one-request" in self.habits:
            time.sleep(0.001)  # whoever does not wait for this answer is caught by now
        what, about = self.pending.pop(number, ("other", None))
        is_ok = kind == STATUS and struct.unpack(">I", packet[5:9])[0] == OK
        if kind == HANDLE:
            self.open[packet[9:]] = about
            if "strange-handles" in self.habits:
                packet = packet[:5] + text(HANDLE_PREFIX + packet[9:])
        elif what == "rename" and is_ok and "takes-renamed" in self.habits:
            self.take(about)
        elif what == "close" and is_ok:
            written = self.open.pop(about, None)
            if written is not None and "takes-closed" in self.habits:
                self.take(written)
            if about in self.filled and "one-file" in self.habits:
                self.to_client(packet)
                self.hang_up()
        elif kind == DATA and "small-packets" in self.habits:
            packet = packet[:5] + text(packet[9 : 9 + SMALL])
        return packet


def main():
    described = "\n".join(f"  {name}: {habit}" for name, habit in HABITS.items())
    parser = argparse.ArgumentParser(epilog=described, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=".", help="where relative paths start")
    parser.add_argument("habits", nargs="*", choices=[*HABITS, []], metavar="HABIT")
    arguments = sys.argv[1:]
    options = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, options = arguments[:at], arguments[at + 1 :]
    chosen = parser.parse_args(arguments)
    odd = Odd(chosen.habits, chosen.root, options)
    threading.Thread(target=odd.until_the_end, args=(odd.replies,), daemon=True).start()
    odd.until_the_end(odd.requests)


main()
