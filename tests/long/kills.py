#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/long/kills.py FIRST ROOTFS.TAR: the rounds of kills.sh, as TAP; goes on after test FIRST.

Each round starts a command, waits a random time, kills it or one of its processes with SIGKILL,
and then looks at everything that must hold. In every fourth round another command runs beside it,
which nobody kills and which has to end well. This process is the reaper of all orphans below it
(PR_SET_CHILD_SUBREAPER), so what is left running cannot hide.
"""
import ctypes
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time

THIMBLE, ROOT = os.environ["THIMBLE"], os.environ["THIMBLE_ROOT"]
ROUNDS, SEED = int(os.environ["KILLS"]), int(os.environ["SEED"])
FIRST, ROOTFS = int(sys.argv[1]), sys.argv[2]
END = 30      # seconds in which a command of which a part was killed has to end
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
rnd = random.Random(SEED)
user = os.geteuid() != 0
as_owner = ["unshare", "--user", "--map-root-user", "--map-auto"] if user else []


def children(top=None):
    """Every living process below this one, or below top, and top."""
    todo, found = [top or os.getpid()], []
    while todo:
        pid = todo.pop()
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as f:
                    todo += map(int, f.read().split())
            with open(f"/proc/{pid}/stat") as f:
                if f.read().rsplit(")", 1)[1].split()[0] not in "ZX":
                    found.append(pid)
        except OSError:
            continue
    return found if top else found[1:]


def name_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as f:
            return f.read().replace("\0", " ").strip()[:60]
    except OSError:
        return "gone"


def reap(timeout):
    """Waits until no process is left below us; those that stay."""
    until = time.monotonic() + timeout
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        left = children()
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.005)


def thimble(*args, **more):
    return subprocess.run([THIMBLE, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120, **more)


def images():
    r = thimble("images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}")
    if r.returncode:
        raise AssertionError("images fails: " + r.stdout)
    return dict(line.split() for line in r.stdout.splitlines() if "<none>" not in line)


# ---- the commands ----

def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


# A step fails when any process of it is killed: no $(…), whose status nobody sees.
def op_build(n):
    write("b/Dockerfile", """FROM base AS one
COPY n /n
RUN mkdir /d && seq 60 >/l && while read -r i; do echo $i >/d/$i; done </l && rm /l
FROM base AS two
COPY n /m
RUN dd if=/dev/zero of=/z bs=64k count=40 2>/dev/null && chown 7:7 /z
FROM base
COPY --from=one /d /d
COPY --from=two /z /z
COPY big /big
WORKDIR /w
RUN rm -r /d/1* && sleep 0.03
""")
    write("b/n", f"{n}\n")
    write("b/big", f"{n}" * 300000)
    return ["build", "-q", "-t", "built", "b"]


def op_parallel(n):
    stages = "".join(f"FROM base AS s{i}\nRUN echo {n} {i} >/f{i}\n" for i in range(6))
    copies = "".join(f"COPY --from=s{i} /f{i} /\n" for i in range(6))
    write("p/Dockerfile", stages + "FROM scratch\n" + copies + 'COPY --from=base /bin /bin\n')
    return ["build", "-q", "-t", "parallel", "p"]


def op_run(n):
    return ["run", "--rm", "-v", "vol:/bin2", "base", "sh", "-c",
            f"echo {n} >/bin2/x; (sleep 0.02 &); dd if=/dev/zero of=/big bs=64k count=20 2>/dev/null"]


def op_run_volume(n):
    return ["run", "--rm", "--name", "same", "--tmpfs", "/t", "-v", f"v{n}:/bin", "base", "true"]


def op_import(n):
    subprocess.run(["sh", "-c", f"""set -e
        rm -rf i; mkdir i; tar -C i -xf '{ROOTFS}'; echo {n} >i/round
        tar -C i -cf i.tar ."""], check=True)
    return ["import", "-c", "CMD [\"true\"]", "i.tar", "imported"]


def op_load(n):
    thimble("rmi", "-f", "loaded")
    thimble("prune", "-f")
    return ["load", "-q", "-i", rnd.choice(["loaded.tar", "docker.tar", "zstd.tar"])]


def op_cache(n):
    write("c/Dockerfile", f"""FROM base
RUN --mount=type=cache,target=/c,id=k,sharing=locked echo {n} >>/c/log && sleep 0.02 && cp /c/log /log
RUN --mount=type=tmpfs,target=/t cp -r /bin /t && cp -r /t /t2
""")
    return ["build", "-q", "-t", "cached", "c"]


def op_output(n):
    write("o/Dockerfile", f"FROM base\nRUN echo {n} >/round && mkdir /e && cp -r /bin /e/bin\n")
    return ["build", "--progress", "quiet", "-o", rnd.choice(["type=local,dest=got", "type=tar,dest=got.tar"]), "o"]


def op_save(n):
    return ["save", "--format", rnd.choice(["oci", "docker"]), "-o", "saved.tar", "base", "other", "large"]


def op_save_zstd(n):
    return ["save", "--compression", rnd.choice(["zstd", "none"]), "-o", "saved.tar", "large"]


def op_save_dir(n):
    return ["save", "--format", "oci-dir", "-o", f"layout{n % 3}", "base", "large"]


def op_prune(n):
    for cmd in (op_build(n), ["rmi", "-f", "built"]):
        thimble(*cmd)
    return ["prune", "-f"]


def op_rmi(n):
    thimble(*op_parallel(n))
    return ["rmi", "-f", "parallel"]


def op_tag(n):
    return ["tag", "base", f"deep/er/name{n % 3}:t"]


OPS = [op_build, op_build, op_parallel, op_cache, op_output, op_run, op_run_volume, op_import, op_load,
       op_load, op_save, op_save_zstd, op_save_dir, op_prune, op_rmi, op_tag]
REMOVE = {"op_rmi": "parallel:latest"}
BESIDE = [["prune", "-f"], ["run", "--rm", "base", "true"], ["save", "-o", "beside.tar", "base"]]
ONLY_ONCE = ("op_run_volume", "op_rmi", "op_output", "op_save_dir")  # two of these disturb each other


# ---- what must hold ----

def valid(before, op, allowed_gone):
    now = images()
    for ref, ident in before.items():
        if ref not in now and ref not in allowed_gone:
            raise AssertionError(f"the image {ref} is gone")
        if ref in ("base:latest", "other:latest", "large:latest") and now[ref] != ident:
            raise AssertionError(f"{ref} is another image")
    for ref in now:
        r = thimble("inspect", ref)
        if r.returncode:
            raise AssertionError(f"inspect {ref}: {r.stdout}")
        r = thimble("run", "--rm", "--entrypoint", "/bin/hello", ref)
        if r.returncode:
            raise AssertionError(f"run {ref}: {r.returncode} {r.stdout}")
    blobs = os.path.join(ROOT, "blobs/sha256")
    for name in os.listdir(blobs):
        with open(os.path.join(blobs, name), "rb") as f:
            if hashlib.sha256(f.read()).hexdigest() != name:
                raise AssertionError(f"the blob {name} is not what its name says")


def says(name, n):
    """What the image or volume that a command made contains."""
    script = {
        "op_build": ["built", "ls /d | wc -l; wc -c </z; wc -c </big; stat -c %u /z"],
        "op_parallel": ["parallel", "cat /f0 /f1 /f2 /f3 /f4 /f5"],
        "op_cache": ["cached", "tail -n 1 /log; ls /t2/bin | wc -l"],
        "op_import": ["imported", "cat /round; ls /bin | wc -l"],
        "op_load": ["loaded", "cat /what; wc -c </blob"],
        "op_run_volume": ["-v", f"v{n}:/v", "base", "ls /v | wc -l"],
    }.get(name)
    if not script:
        return None
    r = thimble("run", "--rm", *script[:-1], "sh", "-c", script[-1])
    return f"{r.returncode} " + r.stdout.replace(str(n), "N")


def sum_of(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def saved_whole():
    """An archive with its final name is one of those that an undisturbed command makes."""
    for name in ("saved.tar", "beside.tar"):
        if os.path.exists(name) and sum_of(name) not in whole:
            raise AssertionError(f"{name} is not whole")
    for name in os.listdir("."):
        if name.startswith("layout") and os.path.exists(os.path.join(name, "index.json")):
            layout_whole(name)


def layout_whole(path):
    """What the index of a layout names is there, and every blob is what its name says."""
    with open(os.path.join(path, "index.json")) as f:
        listed = [m["digest"] for m in json.load(f)["manifests"]]
    for name in os.listdir(os.path.join(path, "blobs/sha256")):
        if not name.startswith(".") and sum_of(os.path.join(path, "blobs/sha256", name)) != name:
            raise AssertionError(f"{path}: the blob {name} is not what its name says")
    for digest in listed:
        with open(os.path.join(path, "blobs", *digest.split(":"))) as f:
            m = json.load(f)
        for d in [m["config"], *m["layers"]]:
            if not os.path.exists(os.path.join(path, "blobs", *d["digest"].split(":"))):
                raise AssertionError(f"{path}: {d['digest']} is missing")


def left_over():
    """What stays in places that are swept."""
    found = [f"{d}/{n}" for d in ("tmp", "containers") for n in os.listdir(os.path.join(ROOT, d))]
    leases = [f"leases/{n}" for n in os.listdir(os.path.join(ROOT, "leases")) if n not in ("gate", "turns")]
    return found + leases


def locked(timeout):
    """Waits until no file of the store is locked; those that stay. A process whose threads have not all
    ended looks like a zombie, and its files are still open for a moment."""
    until = time.monotonic() + timeout
    while True:
        held = locks()
        if not held or time.monotonic() > until:
            return held
        time.sleep(0.005)


def locks():
    """Files of the store on which there is a lock of any kind: leases, turns, containers, caches."""
    with open("/proc/locks") as f:
        held = {line.split(" -> ")[-1].split()[-3] for line in f}
    found = []
    for d, dirs, files in os.walk(ROOT):
        if os.path.dirname(d) == os.path.join(ROOT, "snapshots"):
            dirs.clear()
        for n in [".", *files]:
            try:
                st = os.stat(os.path.join(d, n))
            except OSError:
                continue  # another owner's, or gone
            if f"{os.major(st.st_dev):02x}:{os.minor(st.st_dev):02x}:{st.st_ino}" in held:
                found.append(os.path.join(d, n))
    return found


def mounted():
    with open("/proc/self/mountinfo") as f:
        return [line.split()[4] for line in f if line.split()[4].startswith(ROOT)]


took, want, whole = {}, {}, set()


def measure():
    """How long each command takes when nobody disturbs it, and what it makes."""
    for i, op in enumerate(sorted(set(OPS), key=lambda o: o.__name__)):
        args = op(100000 + i)
        start = time.monotonic()
        r = thimble(*args)
        took[op.__name__] = time.monotonic() - start
        if r.returncode:
            raise SystemExit(f"Bail out! {args}: {r.stdout}")
        want[op.__name__] = says(op.__name__, 100000 + i)
    for more in (["base", "other", "large"], ["--format", "docker", "base", "other", "large"], ["base"],
                 ["--compression", "zstd", "large"], ["--compression", "none", "large"]):
        r = thimble("save", "-o", "saved.tar", *more)
        if r.returncode:
            raise SystemExit(f"Bail out! save {more}: {r.stdout}")
        whole.add(sum_of("saved.tar"))


def strike(op, args):
    """Starts the command, kills it or a part of it, waits for its end: what was done, its status."""
    name = op.__name__
    beside = rnd.choice(BESIDE + [args] * 2 * (name not in ONLY_ONCE)) if rnd.random() < 0.25 else None
    friend = None
    with open("out", "w") as out, open("out.beside", "w") as out2:
        if beside:
            friend = subprocess.Popen([THIMBLE, *beside], stdin=subprocess.DEVNULL, stdout=out2, stderr=out2)
        start = time.monotonic()
        p = subprocess.Popen([THIMBLE, *args], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    whom = rnd.choice(["command", "any", "any"])
    time.sleep(rnd.random() * took[name] * 1.1)
    all_now = children(p.pid)
    victim = p.pid if whom == "command" else rnd.choice(all_now or [p.pid])
    what = f"{' '.join(args)[:40]}: kill {whom} after {time.monotonic() - start:.3f}s"
    what += f" of {took[name]:.3f}: {'command' if victim == p.pid else name_of(victim)}"
    what += f", beside {' '.join(beside)[:20]}" if beside else ""
    if p.poll() is not None:
        what += ", too late"
    else:
        try:
            os.kill(victim, signal.SIGKILL)
        except (ProcessLookupError, PermissionError) as why:
            what += f" ({why.strerror})"
    try:
        status = p.wait(END)
        if friend and friend.wait(END):
            with open("out.beside") as f:
                raise AssertionError(f"{what}: {beside} had status {friend.returncode}: {f.read()}")
    except subprocess.TimeoutExpired:
        subprocess.run(["sh", "-c", f"for p in {' '.join(map(str, children()))}; do "
                        "echo $p $(cat /proc/$p/wchan) $(tr '\\0' ' ' </proc/$p/cmdline); done"])
        for pid in children():
            os.kill(pid, signal.SIGKILL)
        reap(5)
        raise AssertionError(f"{what}: it does not end")
    return what, status


def one_round(n):
    op = rnd.choice(OPS)
    name = op.__name__
    args = op(n)
    before = images()
    what, status = strike(op, args)
    left = reap(2)
    if left:
        raise AssertionError(f"{what}: still running: {[(x, name_of(x)) for x in left]}")
    held = locked(2)
    if held:
        raise AssertionError(f"{what}: still locked: {held}")
    if mounted():
        raise AssertionError(f"{what}: still mounted: {mounted()}")
    if rnd.random() < 0.3:  # and the machine was started anew
        os.environ["THIMBLE_BOOT_ID"] = f"boot-{n}"
        what += ", reboot"
    gone = {"built:latest"} if name == "op_prune" else {REMOVE.get(name)}
    try:
        saved_whole()
        valid(before, op, gone)
        if name == "op_rmi" and "parallel:latest" not in images():
            thimble("tag", "base", "parallel")  # it was done before the signal came
        r = thimble(*args)
        if r.returncode:
            raise AssertionError(f"then status {r.returncode}: {r.stdout}")
        if left_over():
            raise AssertionError(f"left in the store: {left_over()}")
        valid(before, op, gone)
        saved_whole()
        if says(name, n) != want[name]:
            raise AssertionError(f"then it holds {says(name, n)!r}, not {want[name]!r}")
    except AssertionError as why:
        raise AssertionError(f"{what}: {why}") from why
    for dot in [f for f in os.listdir(".") if f.startswith(".")]:
        good = sum_of(dot) in whole  # killed between link and rename
        os.unlink(dot)
        if not good:
            raise AssertionError(f"{what}: left beside the result, and not whole: {dot}")
    return what + f" -> {status}"


failed = 0
n = FIRST
measure()
for n in range(FIRST + 1, FIRST + ROUNDS + 1):
    try:
        what = one_round(100000 + n)  # as many digits in each round
        print(f"ok {n} - {what}".replace("#", "."), flush=True)
    except AssertionError as why:
        failed += 1
        lines = str(why).splitlines()
        print(f"not ok {n} - {lines[0]}".replace("#", "."))
        for line in lines[1:]:
            print(f"#   {line}")
        for f in left_over():
            subprocess.run(["rm", "-rf", os.path.join(ROOT, f)] if not user else
                           [*as_owner, "rm", "-rf", os.path.join(ROOT, f)])
        sys.stdout.flush()
print(f"1..{n}")
sys.exit(failed > 0)
