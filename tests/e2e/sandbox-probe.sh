#!/bin/sh
# A step and a container have what docker's would have, and no more: tests/data/sandbox/ is the
# table, crun with docker's capabilities is run beside it, and tests/lib/probe.c looks.
. "$(dirname "$0")/../lib/tap.sh"
table=$tests/data/sandbox/docker-x86_64
cc -static -O1 -o probe "$tests/lib/probe.c" || exit 1
echo canary >"$T/canary"
base_image
dockerfile <<D
FROM base
COPY probe /probe
ENV LANG=C
RUN /probe see >/see; /probe devices >/devices; /probe outside $T/canary >/outside; /probe writable >/writable
D
ok "builds" thimble build -q -t it .
for what in see devices outside writable; do
	thimble run --rm it cat /$what >step.$what
done
thimble run --rm it /probe see >run.see
thimble run --rm it /probe devices >run.devices
thimble run --rm it /probe outside "$T/canary" >run.outside
thimble run --rm it /probe writable >run.writable
thimble run --rm --network none it /probe see >none.see

outside=$(ls -l /proc/self/ns | sed -n 's/.* -> //p')
bits=$(awk '$1 == "cap" { print $3 }' "$table")
want=0
for bit in $bits; do want=$((want | 1 << bit)); done
want=$(printf %016x "$want")
for who in step run; do
	what="in a step"
	[ $who = step ] || what="in run"
	see=$(cat $who.see)
	for set in Prm Eff Bnd; do
		like "$see" "^caps Cap$set:.$want\$" "$what: Cap$set is docker's"
	done
	like "$see" '^caps Seccomp:.2$' "$what: a filter is in force"
	for set in Inh Amb; do
		like "$see" "^caps Cap$set:.0000000000000000\$" "$what: Cap$set is empty"
	done
	is "$(grep -c '^fd ' $who.see)" 3 "$what: three descriptors"
	unlike "$see" '^fd [0-9]+ directory' "$what: and no directory"
	unlike "$see" "^fd .*(socket|anon_inode|$T)" "$what: nor anything of ours"
	like "$see" 'session none' "$what: no terminal"
	for ns in cgroup ipc mnt pid uts; do
		mine=$(sed -n "s/^ns $ns:/$ns:/p" $who.see)
		unlike "$outside" "^\\$mine\$" "$what: a $ns namespace of its own"
	done
	test "$(sed -n 's/^processes //p' $who.see)" -le 3
	tap_result $? "$what: sees no processes but its own"
	# Every mount point of a sandbox: nodev, but for the device files.
	awk '$1 == "mount" && $7 !~ /nodev/ && $6 !~ "^/dev/(null|zero|full|random|urandom|tty|pts|console)$" &&
		$6 !~ "^/proc/(interrupts|kcore|keys|latency_stats|timer_list|timer_stats|sched_debug)$"' \
		$who.see >nodev
	is "$(cat nodev)" "" "$what: all mounts are nodev"
	unlike "$(awk '$1 == "mount" { print $5 }' $who.see)" "$T.*(snapshots|blobs|names|cache)" \
		"$what: no mount of the store"
	awk '$1 == "device" { print $2, $4 }' $who.devices | sort >have
	awk '$1 == "device" { print $2, $3 }' "$table" | sort >may
	is "$(comm -23 have may)" "" "$what: no device that docker's would not have"
	for dev in null zero full random urandom tty; do
		grep -q "^/dev/$dev " have
		tap_result $? "$what: there is /dev/$dev"
	done
	unlike "$(cat $who.devices)" OPENED "$what: a node that it makes cannot be opened"
	fixed=$(awk '$1 == "fixed" { print $2 }' "$table")
	for path in $fixed; do
		unlike "$(cat $who.writable)" "^writable $path(/|\$)" "$what: $path cannot be written"
	done
	test "$(grep -c ^kept $who.outside)" -ge 20
	tap_result $? "$what: all ways out were tried"
	is "$(grep ^REACHED $who.outside)" "" "$what: none leads out"
done
like "$(cat step.see)" '^env HOME=' "HOME is set"
unlike "$(cat step.see)" '^env (HOSTNAME|TERM|THIMBLE|TAP_|USER|LC_|TMPDIR|SSH|XDG)' "nothing of our environment enters a step"
unlike "$(cat run.see)" '^env (TERM|THIMBLE|TAP_|USER|LC_|TMPDIR|SSH|XDG)' "nor run"
unlike "$outside" "^\\$(sed -n 's/^ns net:/net:/p' none.see)\$" "--network none: a network of its own"

# ---- system calls ----
if [ "$(uname -m)" = x86_64 ]; then
	thimble run --rm it /probe calls >answers
	thimble run --rm it /probe calls 32 >answers32
	test "$(grep -c answered answers)" -gt 250
	tap_result $? "most system calls are answered"
	for kind in refused refused32; do
		file=answers${kind#refused}
		if grep -q '^none$' "$file"; then
			skip "no int 0x80 here" "what docker refuses is refused ($kind)"
			continue
		fi
		awk -v k=$kind '$1 == k { print $2 }' "$table" | sort >may
		awk '$3 == "answered" { print $2 }' "$file" | sort >have
		is "$(comm -12 may have)" "" "what docker refuses is refused ($kind)"
	done
	is "$(awk '$3 != "unknown" && $2 >= 470' answers)" "" "unknown numbers, and x32's, are not there"
fi

# ---- beside crun ----
# Its cgroup manager is off and /sys/fs/cgroup is left out: neither is a matter of what is open.
crun_run() { # SECTION
	cat >config.py <<'P'
import json, sys
c = json.load(open("config.json"))
c["mounts"] = [m for m in c["mounts"] if m["type"] != "cgroup"]
c["linux"].pop("resources", None)
caps = ["CAP_" + line.split()[1] for line in open(sys.argv[1]) if line.startswith("cap ")]
for kind in "bounding", "effective", "permitted":
    c["process"]["capabilities"][kind] = caps
c["process"]["capabilities"]["ambient"] = []
c["process"]["noNewPrivileges"] = False
c["process"]["terminal"] = False
c["process"]["args"] = ["/probe", sys.argv[2]]
c["process"]["rlimits"] = []
c["root"]["readonly"] = False
json.dump(c, open("config.json", "w"))
P
	(cd bundle && rm -f config.json && crun spec && python3 ../config.py "$table" "$1" &&
		unshare --mount sh -c 'umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup
		exec timeout 20 crun --cgroup-manager=disabled run "thimble-probe-$PPID"' </dev/null)
}
mkdir -p bundle/rootfs
thimble cp it:/ - | tar -C bundle/rootfs -x
if [ "$(id -u)" != 0 ]; then
	skip "needs root" "crun beside it"
elif crun_run writable >crun.writable 2>"$T/crun.err" && [ -s crun.writable ]; then
	# What crun's own default list leaves open, and docker's and ours do not, is no fault.
	sort crun.writable >may
	sort run.writable >have
	is "$(comm -13 may have)" "" "nothing can be written that could not under crun"
	crun_run devices | awk '$1 == "device" { print $2, $4 }' | sort >may
	awk '$1 == "device" && $2 !~ "^/proc/" { print $2, $4 }' run.devices | sort >have
	is "$(comm -13 may have)" "" "no device that would not be there under crun"
	crun_run see | awk '$1 == "mount" { print $6 }' | sort >may
	awk '$1 == "mount" && $6 !~ "^/(etc/(hosts|hostname|resolv.conf)|dev/(tty|null|zero|full|random|urandom)|proc/interrupts|sys/.*)$" { print $6 }' run.see | sort -u >have
	is "$(comm -13 may have)" "" "no mount but the files of the network"
else
	diag_file "$T/crun.err"
	skip "crun cannot run here" "crun beside it"
fi
done_testing
