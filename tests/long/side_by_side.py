#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tests/long/side_by_side.py SECONDS ROOTFS.TAR: many commands at once, each checked.

Every worker uses names of its own or names that nobody removes, so each command would succeed if
it were alone. Prints what was done; the exit status is 1 if anything failed.
"""
import collections
import os
import random
import subprocess
import sys
import threading
import time

THIMBLE = os.environ["THIMBLE"]
END = time.monotonic() + float(sys.argv[1])
ROOTFS = sys.argv[2]
LIMIT = 60
done, failures = collections.Counter(), []


def thimble(*args, want=0):
    start = time.monotonic()
    try:
        r = subprocess.run([THIMBLE, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, errors="replace", timeout=LIMIT)
    except subprocess.TimeoutExpired:
        failures.append(f"{' '.join(args)}: not ended after {LIMIT} s")
        return ""
    done[args[0]] += 1
    if r.returncode != want:
        failures.append(f"{' '.join(args)} (began {END - start:.1f} s before the end): "
                        f"status {r.returncode}\n{r.stderr}")
    return r.stdout


def same(i):
    os.makedirs("mix", exist_ok=True)
    thimble("build", "-q", "-t", f"mix:{i}", "--build-arg", f"N={int(time.monotonic())}", "mix")


def own(i):
    os.makedirs(f"own{i}", exist_ok=True)
    n = str(random.randrange(10 ** 9))
    with open(f"own{i}/n", "w") as f:
        f.write(n + "\n")
    with open(f"own{i}/Dockerfile", "w") as f:
        f.write("FROM base AS a\nRUN mkdir /d && seq 200 >/d/list\nRUN echo more >/d/more\n"
                "FROM base\nCOPY --from=a /d /d\nCOPY n /n\nRUN cp /n /m && rm /d/more\n"
                "WORKDIR /new\nVOLUME /vol\n")
    thimble("build", "-q", "-t", f"own:{i}", f"own{i}")
    out = thimble("run", "--rm", f"own:{i}", "sh", "-c", "cat /n /m; wc -l </d/list; ls /d")
    if out.split() != [n, n, "200", "list"]:
        failures.append(f"own:{i} says {out!r}, not {n}")


def run(i):
    out = thimble("run", "--rm", "-v", f"vol{i}:/data", "base", "sh", "-c",
                  "echo x >>/data/f; tail -n 1 /data/f; echo /proc/1")
    if out.split() != ["x", "/proc/1"]:
        failures.append(f"run says {out!r}")


def save(i):
    form = random.choice(["oci", "docker"])
    thimble("save", "--format", form, "-o", f"save{i}.tar", "base")
    thimble("load", "-q", "-i", f"save{i}.tar")


def lists(i):
    if "base" not in thimble("images"):
        failures.append("images does not list base")
    thimble("images", "-a", "--json")
    thimble("df")
    thimble("inspect", "base")
    thimble("history", "base")


def imports(i):
    thimble("import", ROOTFS, f"imported{i}")
    thimble("tag", f"imported{i}", f"a/b/c{i}:t")
    thimble("rmi", f"imported{i}")
    thimble("rmi", f"a/b/c{i}:t")


def out(i):
    os.makedirs(f"out{i}", exist_ok=True)
    with open(f"out{i}/Dockerfile", "w") as f:
        f.write(f"FROM base AS b\nRUN echo {random.random()} >/x\nFROM scratch\nCOPY --from=b /x /\n")
    thimble("build", "--progress", "quiet", "-o", f"type=local,dest=got{i}", f"out{i}")


def prune(i):
    thimble("prune", "-f")
    time.sleep(random.random() * 0.5)


def work(what, i):
    try:
        while time.monotonic() < END and len(failures) < 20:
            what(i)
    except Exception as why:
        failures.append(f"{what.__name__}: {why!r}")


os.makedirs("mix", exist_ok=True)
with open("mix/Dockerfile", "w") as f:
    f.write("FROM base\nARG N\nRUN echo $N >/n && sleep 0.1\nRUN --mount=type=cache,target=/c,id=c,"
            "sharing=locked echo $N >>/c/log && cp /n /m\nCMD [\"cat\", \"/m\"]\n")
workers = [(same, 1), (same, 2), (same, 3), (own, 1), (own, 2), (own, 3), (own, 4), (own, 5),
           (run, 1), (run, 2), (save, 1), (save, 2), (lists, 1), (imports, 1), (imports, 2),
           (out, 1), (prune, 1)]
threads = [threading.Thread(target=work, args=w) for w in workers]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(", ".join(f"{n} {what}" for what, n in sorted(done.items())))
for f in failures:
    print(f)
sys.exit(bool(failures))
