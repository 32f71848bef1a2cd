#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""faults.py SHARE [COMMAND...]: commands of thimble in which one system call fails (strace injects EIO).

For each command and each kind of call that it makes, its first, second, third … call of that kind is
made to fail; of all these cases the SHARE-th part is tried, another one each day (1: all). With
COMMANDs (names as below) only theirs. Then the command must end by itself, with an error that says
so, or, where the fault may be survived, with what it does otherwise. Prints TAP. Stands in a test's
directory, with the base image as `base`.
"""
import os
import pathlib
import random
import re
import subprocess
import sys
import time

THIMBLE = os.environ['THIMBLE']
T = pathlib.Path(os.environ['T'])
CALLS = '''openat openat2 read pread64 write pwrite64 newfstatat fstat statx getdents64 mkdirat renameat
renameat2 unlinkat linkat symlinkat mknodat fchmod fchmodat fchownat fchown utimensat ftruncate fallocate
copy_file_range lseek fsync fdatasync syncfs flock fcntl pipe2 clone clone3 vfork wait4 waitid poll ppoll mount
move_mount fsopen fsconfig fsmount open_tree mount_setattr umount2 pivot_root unshare sethostname setgroups
setresuid setresgid setuid setgid capset prctl seccomp execve setxattr lsetxattr fsetxattr lgetxattr fgetxattr
getxattr llistxattr flistxattr listxattr ioctl dup dup3 chdir fchdir chroot signalfd4 eventfd2 pidfd_open
socket statfs fstatfs readlinkat readlink faccessat2 access memfd_create rt_sigprocmask setsid prlimit64
kill pidfd_send_signal'''.split()
# At most so many of one kind in one command: the later ones are in loops that the first are in too.
# What is read of a layer decides whether it is believed any more, so there each read counts.
MOST = 14
EACH = {('save', 'read')}


def sh(script):
    return subprocess.run(['sh', '-ec', script], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='replace')


class Command:
    """script: what is tried; undo: before each time; check: whether its result is right;
    foreign: other programs run in it, which may end as they like."""
    def __init__(self, name, script, undo, check, foreign=False):
        self.name, self.script, self.undo, self.check, self.foreign = name, script, undo, check, foreign


COMMANDS = [
    Command('build', 'thimble build --progress quiet -t it b', 'thimble rmi -f it >/dev/null 2>&1; thimble builder prune -f >/dev/null',
            'test "$(thimble run it sh -c "cat /f /made /copied/s /unpacked/f; stat -c %u:%a /owned; cat /tmpl")" = "$(cat want)"', True),
    Command('build -o', 'thimble build -q --no-cache -o out --target files b', 'rm -rf out', 'cmp out/f b/f && cmp out/link b/f'),
    Command('build -', 'thimble build -q --no-cache -t it --target files - <ctx.tar', 'thimble rmi -f it >/dev/null 2>&1',
            'thimble cp it:/f - >/dev/null'),
    Command('run', 'thimble run -v kept:/v -v "$PWD/b:/b" --tmpfs /t -w /new -u 3:4 base cat /b/f', ':', ':', True),
    Command('run -t', 'echo exit | script -qec "thimble run -it --network none base true" /dev/null', ':', ':', True),
    Command('import', 'thimble import -c "ENV A=b" in.tar imported', 'thimble rmi -f imported >/dev/null 2>&1',
            'test "$(thimble run imported sh -c "echo \\$A")" = b'),
    Command('save', 'thimble save -o out.tar ref', 'rm -f out.tar', 'cmp out.tar ref.tar'),
    Command('save oci-dir', 'thimble save --compression zstd --format oci-dir -o layout ref', 'rm -rf layout', 'thimble load -q -i layout'),
    Command('load', 'thimble load -q -i ref.tar', 'thimble rmi -f ref >/dev/null 2>&1; thimble prune -f >/dev/null',
            'test "$(thimble run ref cat /made)" = made'),
    Command('cp', 'thimble cp ref:/ copy', 'chmod -R u+rwX copy 2>/dev/null; rm -rf copy', 'test "$(cat copy/made)" = made'),
    Command('tag and rmi', 'thimble tag base other && thimble rmi other', 'thimble rmi -f other >/dev/null 2>&1; :', ':'),
    Command('rmi', 'thimble rmi gone', 'thimble build -q -t gone --target files --label "n=$(date +%N)" b >/dev/null',
            '! thimble inspect gone >/dev/null 2>&1'),
    Command('prune', 'thimble prune -f --volumes', 'thimble run -v gone:/v base true', 'test ! -e "$THIMBLE_ROOT/volumes/gone"'),
    Command('compare', 'thimble compare --for 5s --json ref', ':', ':', True),
    Command('lists', 'thimble images -a && thimble inspect ref && thimble history ref && thimble df && thimble info', ':', ':'),
]


def calls_of(command):
    """How often the busiest process makes each call."""
    sh(command.undo)
    trace = T / 'trace'
    subprocess.run(['strace', '-f', '-qq', '-o', trace, '-e', 'trace=' + ','.join('?' + c for c in CALLS), 'sh', '-ec', command.script],
                   stdin=subprocess.DEVNULL, capture_output=True)
    counts = {}
    for line in trace.read_text(errors='replace').splitlines():
        if m := re.match(r'(\d+) +(\w+)\(', line):
            counts.setdefault(m.group(2), {}).setdefault(m.group(1), 0)
            counts[m.group(2)][m.group(1)] += 1
    return {call: max(by.values()) for call, by in counts.items() if call in CALLS}


def numbers(command, call, most):
    first = 2 if call == 'execve' else 1
    if most <= MOST or (command.name, call) in EACH:
        return range(first, most + 1)
    step = most / MOST
    return sorted({first, 2, 3} | {max(1, int(step * i)) for i in range(1, MOST + 1)})


def attempt(command, call, n):
    """None if all went well, else what went wrong."""
    sh(command.undo)
    trace = ['strace', '-f', '-qqq', '-o', '/dev/null', '--seccomp-bpf', '-e', f'trace={call}', '-e', f'inject={call}:error=EIO:when={n}']
    wrapper = T / 'faulty' / 'thimble'
    wrapper.write_text(f'#!/bin/sh\nexec {" ".join(trace)} "{THIMBLE}" "$@"\n')
    wrapper.chmod(0o755)
    env = os.environ | {'PATH': f'{T}/faulty:' + os.environ['PATH']}
    try:
        done = subprocess.run(['timeout', '-k', '5', '60', 'sh', '-ec', command.script], env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors='replace')
    except OSError as e:
        return str(e)
    status, said = done.returncode, done.stderr + done.stdout
    if status in (124, 137):
        return 'it does not end'
    if status < 0 or status in (134, 135, 139):
        return f'it died: status {status}: {said[-300:]}'
    if 'error while loading shared libraries' in said or 'strace:' in said:
        return None
    # Each process has its own first write: in the last one it is the word itself that is lost.
    if status and not command.foreign and 'thimble:' not in said and (call, n) != ('write', 1):
        return f'status {status} and no word: {said[-300:]}'
    if not status and not command.foreign:
        right = sh(command.check)
        if right.returncode:
            return f'it ended well, but its result is wrong: {right.stderr[-300:]}'
    return None


def main():
    share = int(sys.argv[1])
    (T / 'faulty').mkdir(exist_ok=True)
    (T / 'plain').mkdir(exist_ok=True)
    (T / 'plain' / 'thimble').symlink_to(THIMBLE)
    os.environ['PATH'] = f'{T}/plain:' + os.environ['PATH']
    random.seed(int(time.time()) // 86400)
    number = tried = 0
    for command in COMMANDS:
        if sys.argv[2:] and command.name not in sys.argv[2:]:
            continue
        wrong = []
        for call, most in sorted(calls_of(command).items()):
            for n in numbers(command, call, most):
                if share > 1 and random.randrange(share):
                    continue
                tried += 1
                bad = attempt(command, call, n)
                # load takes `ref` away before
                if not bad and command.name != 'load' and sh('thimble inspect base ref >/dev/null').returncode:
                    bad = 'an image that was there is damaged'
                if bad:
                    wrong.append(f'{call} number {n}: {bad}')
        number += 1
        print(f'{"not " if wrong else ""}ok {number} - {command.name}: a call that fails is told or survived')
        for line in wrong:
            print('#', line.replace('\n', '\n#   '))
        sh(command.undo)
        again = sh(f'{command.script} && {{ {command.check}; }}')
        number += 1
        print(f'{"not " if again.returncode else ""}ok {number} - {command.name}: afterwards it succeeds')
        if again.returncode:
            print('#', again.stderr[-800:].replace('\n', '\n# '))
        sys.stdout.flush()
    print(f'# {tried} cases')
    print(f'1..{number}')


main()
