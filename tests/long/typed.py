#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/long/typed.py MARK: ^C typed at a terminal where build, run and run -it stand."""
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

THIMBLE, MARK = os.environ["THIMBLE"], sys.argv[1]
bad = 0


def typed(want, keys, *args):
    global bad
    # This side keeps the other one open, so that its modes can be read after the end.
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.login_tty(slave) if hasattr(os, "login_tty") else login(slave)
        os.execv(THIMBLE, [THIMBLE, *args])
    seen, until, sent = b"", time.monotonic() + 20, False
    status = None
    while status is None and time.monotonic() < until:
        if select.select([master], [], [], 0.02)[0]:
            try:
                seen += os.read(master, 65536)
            except OSError:
                pass
        if not sent and subprocess.run(["pgrep", "-f", f"^sleep {MARK}"],
                                       stdout=subprocess.DEVNULL).returncode == 0:
            time.sleep(0.1)
            os.write(master, keys)
            sent = True
        done, code = os.waitpid(pid, os.WNOHANG)
        if done:
            status = os.waitstatus_to_exitcode(code)
    if status is None:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    after = termios.tcgetattr(slave)
    good = status == want and after == before and seen.count(b"\x1b[?25l") == seen.count(b"\x1b[?25h")
    print(("good: " if good else "BAD: ") + f"{' '.join(args)}: status {status}, want {want}; "
          f"modes {'kept' if after == before else 'changed'}")
    if not good:
        bad += 1
        print(repr(seen[-500:]))
    os.close(master)
    os.close(slave)


def login(slave):
    import fcntl
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)


os.makedirs("t", exist_ok=True)
with open("t/Dockerfile", "w") as f:
    f.write(f"FROM base\nRUN sleep {MARK}\n")
typed(130, b"\x03", "build", "-t", "typed", "t")
typed(130, b"\x03", "build", "--progress", "plain", "-t", "typed", "t")
typed(130, b"\x03", "run", "--rm", "base", "sleep", MARK)
typed(130, b"\x03", "run", "--rm", "-t", "-i", "base", "sleep", MARK)
typed(130, b"\x03", "run", "--rm", "-it", "base", "sh", "-c", f"sleep {MARK}")
sys.exit(bad)
