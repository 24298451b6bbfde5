"""Runs a program at a terminal of its own and answers its questions.

Arguments: a JSON list of [what to wait for, what to type], then the command. A third element is a command that is run
before the answer is typed. Prints what the terminal showed, and ends with the program's exit code.
"""

import json
import os
import pty
import select
import subprocess
import sys

dialogue, command = json.loads(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execv(command[0], command)

shown, seen = b"", 0
while True:
    if not select.select([terminal], [], [], 30)[0]:
        print(shown.decode(errors="replace"))
        sys.exit(f"nothing more came; expected: {dialogue[:1]}")
    try:
        read = os.read(terminal, 65536)
    except OSError:  # The end of a terminal is an error on Linux.
        read = b""
    if not read:
        break
    shown += read
    while dialogue and (at := shown.find(dialogue[0][0].encode(), seen)) >= 0 and shown.endswith(b": "):
        seen = len(shown)
        _, answer, *before = dialogue.pop(0)
        for command_before in before:
            subprocess.run(command_before, check=True)
        os.write(terminal, answer.encode() + b"\n")
print(shown.decode(errors="replace"))
_, status = os.waitpid(child, 0)
if dialogue:
    sys.exit(f"never asked: {dialogue}")
sys.exit(os.waitstatus_to_exitcode(status))
