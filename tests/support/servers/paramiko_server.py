"""A paramiko SFTP server for one test. Prints its port when it listens, and ends with its standard input.

    paramiko_server.py HOST_KEY AUTHORIZED_KEYS [REFUSED REQUEST...]

The library leaves files to whoever uses it; what is here does what its own documentation shows, and no more.
"""

import os
import socket
import sys
import threading

import paramiko
from paramiko import SFTP_FAILURE, SFTP_OK, SFTPAttributes, SFTPHandle, SFTPServer, SFTPServerInterface


class Login(paramiko.ServerInterface):
    def __init__(self, keys):
        self.keys = keys

    def check_auth_publickey(self, username, key):
        return paramiko.AUTH_SUCCESSFUL if key.get_base64() in self.keys else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username):
        return "publickey"

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED


class Handle(SFTPHandle):
    def stat(self):
        try:
            return SFTPAttributes.from_stat(os.fstat(self.writefile.fileno()))
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)


class Files(SFTPServerInterface):
    def list_folder(self, path):
        try:
            names = os.listdir(path)
            return [SFTPAttributes.from_stat(os.lstat(os.path.join(path, name)), name) for name in names]
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)

    def stat(self, path):
        try:
            return SFTPAttributes.from_stat(os.stat(path))
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)

    def lstat(self, path):
        try:
            return SFTPAttributes.from_stat(os.lstat(path))
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)

    def open(self, path, flags, attr):
        if "overwrite" in sys.argv[3:] and flags & (os.O_WRONLY | os.O_RDWR) and os.path.lexists(path):
            return SFTP_FAILURE
        try:
            fd = os.open(path, flags, 0o644)
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)
        handle = Handle(flags)
        stream = os.fdopen(fd, "r+b" if flags & os.O_RDWR else "wb" if flags & os.O_WRONLY else "rb", buffering=0)
        handle.filename, handle.readfile, handle.writefile = path, stream, stream
        return handle

    def remove(self, path):
        if "remove" in sys.argv[3:]:
            return SFTP_FAILURE  # as gateways say it, without a reason
        try:
            os.remove(path)
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)
        return SFTP_OK

    def rename(self, oldpath, newpath):
        if os.path.lexists(newpath):
            return SFTP_FAILURE
        return self.posix_rename(oldpath, newpath)

    def posix_rename(self, oldpath, newpath):
        try:
            os.rename(oldpath, newpath)
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)
        return SFTP_OK


def serve(client, host_key, keys):
    transport = paramiko.Transport(client)
    transport.add_server_key(host_key)
    transport.set_subsystem_handler("sftp", SFTPServer, Files)
    try:
        transport.start_server(server=Login(keys))
    except (paramiko.SSHException, EOFError):
        transport.close()  # a client that does not trust us is gone before it is there


def accept(listener, host_key, keys):
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, host_key, keys), daemon=True).start()


def main():
    host_key = paramiko.Ed25519Key(filename=sys.argv[1])
    with open(sys.argv[2]) as lines:
        keys = {line.split()[1] for line in lines if line.strip()}
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listener, host_key, keys), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


main()
