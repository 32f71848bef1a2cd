#!/bin/sh
# python3 and python3-* packages from Debian: C extensions, processes, semaphores, a venv.
. "$(dirname "$0")/../lib/tap.sh"
ok "the base image" "$tests/../examples/minimage/bases" --thimble "$THIMBLE" debian

cat >app.py <<'P'
#!/usr/bin/env python3
import asyncio, ctypes, getpass, locale, multiprocessing, os, socket, sqlite3, ssl, subprocess, sys
import tempfile, time
import lxml.etree
import yaml

def square(n):
    return n * n

async def lines():
    p = await asyncio.create_subprocess_exec('printf', 'a\nb\n', stdout=subprocess.PIPE)
    return (await p.communicate())[0].split()

def main():
    assert yaml.__with_libyaml__
    print(yaml.load('{a: [1, 2]}', Loader=yaml.CSafeLoader))
    print(lxml.etree.fromstring('<a><b>text</b></a>').xpath('string(//b)'))
    with multiprocessing.Pool(2) as pool:       # semaphores in /dev/shm
        print(pool.map(square, range(5)))
    from multiprocessing import shared_memory
    m = shared_memory.SharedMemory(create=True, size=1 << 20)
    m.buf[0] = 7
    print(os.listdir('/dev/shm') != [], m.buf[0])
    m.close(); m.unlink()
    print(asyncio.run(lines()))
    print(sqlite3.connect('/tmp/x.db').execute('select 6*7').fetchone())
    with tempfile.NamedTemporaryFile() as f:
        os.setxattr(f.name, 'user.k', b'v')
        print(os.getxattr(f.name, 'user.k'))
    a, b = socket.socketpair()
    socket.send_fds(a, [b'x'], [0])
    print(len(socket.recv_fds(b, 1, 1)[1]))
    with socket.socket(socket.AF_UNIX) as s:
        s.bind('/tmp/s'); s.listen()
    print(ctypes.CDLL(None).getpid() == os.getpid(), os.cpu_count() > 0)
    pid, fd = os.forkpty()                      # /dev/ptmx and /dev/pts
    if pid == 0:
        os.execlp('tty', 'tty')
    print(os.read(fd, 100).startswith(b'/dev/pts/'))
    os.waitpid(pid, 0)
    print(locale.setlocale(locale.LC_ALL, ''), 'ä'.encode(sys.getfilesystemencoding()))
    print(ssl.create_default_context().verify_mode.name, os.getuid(), getpass.getuser())

if __name__ == '__main__':
    main()
P
cat >want <<'W'
{'a': [1, 2]}
text
[0, 1, 4, 9, 16]
True 7
[b'a', b'b']
(42,)
b'v'
1
True True
True
C.UTF-8 b'\xc3\xa4'
W
dockerfile <<'D'
FROM debian AS base
ENV DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt,sharing=locked \
    apt-get update && apt-get install -y --no-install-recommends python3 python3-yaml python3-lxml
COPY --chmod=755 app.py /srv/app
RUN /srv/app >/by-root

FROM base AS venv
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv && \
    python3 -m venv --without-pip --system-site-packages /venv && \
    /venv/bin/python -m compileall -q /srv

FROM base
COPY --from=venv /venv /venv
RUN useradd -m -u 1234 app
ENV PATH=/venv/bin:$PATH
USER app
WORKDIR /home/app
RUN /srv/app >by-app && mkdir made && python3 -c 'import sys; print(sys.prefix)' >made/prefix
CMD ["/srv/app"]
D
ok "built" thimble build --progress plain -t py .
ok "as root in RUN" thimble run --rm py cat /by-root
is "$out" "$(cat want)
CERT_REQUIRED 0 root" "does it all"
ok "as USER in RUN" thimble run --rm py cat by-app made/prefix
is "$out" "$(cat want)
CERT_REQUIRED 1234 app
/venv" "does it all"
ok "as USER in run" thimble run --rm py
is "$out" "$(cat want)
CERT_REQUIRED 1234 app" "does it all"
ok "as another user in run, read-only" thimble run --rm --read-only --tmpfs /tmp -u 0 py
is "$out" "$(cat want)
CERT_REQUIRED 0 root" "does it all"
ok "what a cache mount held is not in the image" thimble run --rm -u 0 py \
	find /var/lib/apt/lists /var/cache/apt -type f ! -name lock
is "$out" '' "no lists, no packages"
ok "again" thimble build --progress plain -t py .
unlike "$err" 'Unpacking' "nothing ran again"
done_testing
