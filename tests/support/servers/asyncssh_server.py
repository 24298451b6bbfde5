"""An AsyncSSH SFTP server for one test. Prints its port when it listens, and ends with its standard input.

    asyncssh_server.py HOST_KEY AUTHORIZED_KEYS [--banner TEXT] [--login-takes SECONDS]
"""

import argparse
import asyncio
import sys

import asyncssh


class Server(asyncssh.SSHServer):
    def connection_made(self, conn):
        self.conn = conn

    async def begin_auth(self, username):
        if OPTIONS.banner:
            self.conn.send_auth_banner(OPTIONS.banner)
        await asyncio.sleep(OPTIONS.login_takes)
        return True


async def main():
    acceptor = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=Server,
        server_host_keys=[OPTIONS.host_key],
        authorized_client_keys=OPTIONS.authorized_keys,
        sftp_factory=True,
    )
    print(acceptor.get_port(), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


parser = argparse.ArgumentParser()
parser.add_argument("host_key")
parser.add_argument("authorized_keys")
parser.add_argument("--banner", default="")
parser.add_argument("--login-takes", type=float, default=0)
OPTIONS = parser.parse_args()
asyncio.run(main())
