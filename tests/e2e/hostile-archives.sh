#!/bin/sh
# Archives made to do harm, by the three ways in: import, load, and ADD. Each is refused with a
# reason or stays inside; a directory of ours that they aim at stays as it is.
. "$(dirname "$0")/../lib/tap.sh"
base_image
mkdir "$T/aim" && echo alive >"$T/aim/canary" && mkdir "$T/aim/dir"
look() { find "$T/aim" -printf '%P %y %m %s %T@ %l\n' | sort; cat "$T/aim/canary"; }
look >before

# make NAME MODE: the archives, and images around them. Python's tarfile writes what it is told.
cat >make.py <<'P'
import gzip, hashlib, io, json, os, sys, tarfile
aim = sys.argv[1]
def member(name, kind=tarfile.REGTYPE, link="", data=b"dead", **more):
    m = tarfile.TarInfo(name)
    m.type, m.linkname = kind, link
    m.size = len(data) if kind == tarfile.REGTYPE else 0
    m.mode = more.get("mode", 0o777)
    m.pax_headers = more.get("pax", {})
    m.devmajor, m.devminor = more.get("dev", (0, 0))
    return m, data
LNK, SYM, DIR, CHR, BLK, FIFO = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE,
                                 tarfile.BLKTYPE, tarfile.FIFOTYPE)
cases = {
    "up": [member("../../../../../../.." + aim + "/canary")],
    "absolute": [member(aim + "/canary")],
    "link": [member("l", SYM, aim), member("l/canary"), member("l/new")],
    "linked-link": [member("l", SYM, aim), member("m", SYM, "l"), member("m/dir/x")],
    "hard": [member("h", LNK, aim + "/canary"), member("h")],
    "hard-through-link": [member("l", SYM, aim), member("h", LNK, "l/canary"), member("h")],
    "whiteout": [member("l", SYM, aim), member("l/.wh.canary"), member(".wh..")],
    "opaque": [member("l", SYM, aim), member("l/.wh..wh..opq")],
    "device": [member("zero", CHR, dev=(0, 0))],
    "disk": [member("disk", BLK, dev=(254, 0)), member("fifo", FIFO)],
    "long-part": [member("n" * 256)],
    "long-name": [member("/".join(["n" * 200] * 400))],
    "escape": [member("\x1b[2J\x1b]0;owned\x07../.."), member("../\x1b[31mred")],
    "newline": [member("a\nthimble: all is well\n/../b")],
    "no-capability": [member("f", pax={"SCHILY.xattr.security.capability": "x"})],
    "not-there": [member("h", LNK, "nothing")],
}
def tar(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for m, data in members:
            t.addfile(m, io.BytesIO(data) if m.size else None)
    return out.getvalue()
def docker(layer):
    config = json.dumps({"architecture": os.environ["ARCH"], "os": "linux", "config": {"Cmd": ["x"]},
                         "rootfs": {"type": "layers",
                                    "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}).encode()
    return tar([member("config.json", data=config), member("layer.tar", data=layer), member(
        "manifest.json", data=json.dumps([{"Config": "config.json", "RepoTags": ["evil:1"],
                                           "Layers": ["layer.tar"]}]).encode())])
for name, members in cases.items():
    open(name + ".tar", "wb").write(tar(members))
    open(name + ".image", "wb").write(docker(tar(members)))
# expands without end, as far as anybody here is concerned: 8 GiB in 8 MiB
with gzip.open("bomb.tar.gz", "wb", 1) as f:
    m = tarfile.TarInfo("bomb")
    m.size = 8 << 30
    f.write(m.tobuf())
    block = bytes(1 << 20)
    for _ in range(1 << 10 if len(sys.argv) < 3 else 8 << 10):
        f.write(block)
P
case $(uname -m) in aarch64) ARCH=arm64 ;; *) ARCH=amd64 ;; esac
export ARCH
python3 make.py "$T/aim" || exit 1

n=0
for archive in *.tar; do
	name=${archive%.tar}
	printf 'FROM scratch\nADD %s /in/\n' "$archive" >Dockerfile
	for how in import load add; do
		case $how in
		import) run timeout 60 "$THIMBLE" import "$archive" "evil-$name" ;;
		load) run timeout 60 "$THIMBLE" load -i "$name.image" ;;
		add) run timeout 60 "$THIMBLE" build --no-cache -q -t "added-$name" . ;;
		esac
		look >after
		what="$name by $how"
		if ! cmp -s before after; then
			tap_result 1 "$what: nothing outside has changed"
			diff before after | sed 's/^/# /'
		elif [ "$status" = 0 ] || { [ "$status" = 1 ] && [ -s "$T/err" ]; }; then
			tap_result 0 "$what: $([ "$status" = 0 ] && echo contained || echo refused)"
		else
			tap_result 1 "$what: an answer (status $status)"
			diag_file "$T/err"
		fi
		# What the archive calls its files does not reach a terminal as it is.
		if LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" "$T/out" "$T/err"; then
			tap_result 1 "$what: no control characters"
			sed -n l "$T/err" | sed 's/^/# /'
		fi
		case $name in
		up | whiteout | device | long-part | long-name | hard | hard-through-link | not-there)
			[ "$how-$name" = import-whiteout ] || [ "$how-$name" = add-whiteout ] || {
				is "$status" 1 "$what: refused"
				like "$err" '^ *(because|thimble:)' "$what: with the reason"
			} ;;
		esac
		n=$((n + 1))
	done
done
test $n -ge 48
tap_result $? "all were tried"
unlike "$err" 'thimble: all is well' "a name with a newline writes no line of its own"

# ---- without end: the file system is full, or a limit is met; memory stays small ----
if [ "$(id -u)" = 0 ]; then
	mkdir "$T/small" && unshare --mount sh -c '
		mount -t tmpfs -o size=64m none "$T/small" || exit 99
		"$THIMBLE" --root "$T/small/store" images >/dev/null || exit 98
		/usr/bin/env python3 - "$THIMBLE" "$T/small/store" <<P
import resource, subprocess, sys
p = subprocess.run([sys.argv[1], "--root", sys.argv[2], "import", "bomb.tar.gz", "bomb"],
                   capture_output=True, text=True, timeout=120)
print("status", p.returncode, "peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
print(p.stderr)
P
		du -sm "$T/small/store/tmp" "$T/small/store/snapshots" | sed "s/^/left /"
	' >bomb.out 2>&1
	bomb=$(cat bomb.out)
	like "$bomb" '^status 1 peak [0-9]{1,2}$' "a bomb fills the disk and not the memory"
	like "$bomb" 'No space left' "and says so"
	like "$bomb" '^left [01]	.*tmp' "nothing of it is left"
else
	skip "needs root" "a bomb on a small file system"
fi
done_testing
