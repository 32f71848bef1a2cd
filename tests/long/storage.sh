#!/bin/sh
# A full disk, a full table of inodes, a file system that can only be read: every command ends with
# an error that says so, the store stays as it was, nothing half-made is left, and with room the
# same command succeeds. The disk is a tmpfs that has a little more room each time.
#   STORAGE_STEPS   amounts of room that are tried with each command (default 6)
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/long.sh"
need_root
STORAGE_STEPS=${STORAGE_STEPS:-6}
mkdir "$T/small" b
mount -t tmpfs -o size=400m,mode=700 none "$T/small" || { echo "Bail out! no tmpfs"; exit 1; }
trap 'umount -l "$T/small"; tap_tidy' EXIT
export THIMBLE_ROOT="$T/small/store"
base_image

# Archives, and how much room each command takes when there is enough.
{
	echo 'FROM base AS one'
	echo 'RUN mkdir /many && for i in $(seq 300); do echo $i >/many/$i; done'
	echo 'FROM base'
	echo 'COPY --from=one /many /copied'
	echo 'COPY big /big'
	echo 'RUN cp /big /bigger && rm /copied/1*'
	echo 'VOLUME /copied'
} >b/Dockerfile
dd if=/dev/urandom of=b/big bs=1M count=3 2>/dev/null
ok "a first build" thimble build -q -t it b
ok "an archive of it" thimble save --format oci -o it.tar it
ok "rmi" thimble rmi it
ok "prune" thimble prune -f

used() { # bytes or inodes in use
	case $1 in
	size) df --output=used -B1 "$T/small" | tail -n 1 | tr -d ' ' ;;
	nr_inodes) df --output=iused "$T/small" | tail -n 1 | tr -d ' ' ;;
	esac
}
room() { # KIND MORE: so much more than is in use, in units of the file system
	mount -o "remount,$1=$(($(used "$1") + $2))" "$T/small"
}
enough() { mount -o remount,size=400m,nr_inodes=100000 "$T/small"; }
list() { thimble images --format '{{.Repository}}:{{.Tag}} {{.ID}}'; }
command() {
	case $1 in
	build) thimble build --progress quiet -t it b ;;
	import) thimble import -c 'ENV A=b' b.tar imported ;;
	load) thimble load -q -i it.tar ;;
	run) thimble run --rm -v new-volume:/many base sh -c 'dd if=/dev/zero of=/x bs=64k count=40' ;;
	volume) thimble run --rm full-volume true ;;
	tag) thimble tag base other ;;
	esac
}
undo() {
	thimble rmi -f it imported other >/dev/null 2>&1
	thimble prune -f --volumes >/dev/null 2>&1
}
tar -cf b.tar b
before=$(list)

for kind in size nr_inodes; do
	for cmd in build import load run tag; do
		enough
		undo
		was=$(used $kind)
		command $cmd >"$T/out" 2>&1
		most=$(($(used $kind) - was))
		case $kind-$cmd in
		size-run) most=4000000 ;;
		size-*) [ $most -gt 200000 ] || most=200000 ;;
		nr_inodes-*) [ $most -gt 20 ] || most=20 ;;
		esac
		undo
		before=$(list)
		failed=0 bad=0
		for step in $(seq 0 $((STORAGE_STEPS - 1))); do
			enough
			undo
			room $kind $((most * 12 * step / STORAGE_STEPS / 10))
			command $cmd >"$T/out" 2>"$T/err"
			status=$?
			what="$kind $cmd $step/$STORAGE_STEPS"
			if [ $status != 0 ]; then
				failed=$((failed + 1))
				case $cmd-$status in
				run-125|run-1|build-1|import-1|load-1|tag-1) ;;
				*) bad=1; diag "$what: status $status" ;;
				esac
				grep -qiE 'no space left|full' "$T/err" || { bad=1; diag "$what: does not say so"; diag_file "$T/err"; }
				[ "$(list)" = "$before" ] || { bad=1; diag "$what: images: $(list)"; }
				[ "$(thimble run --rm base /bin/hello 2>&1 | head -n 1)" ] ||
					{ bad=1; diag "$what: base does not run"; }
			fi
			enough
			[ -z "$(left_over)" ] || { bad=1; diag "$what: left: $(left_over)"; }
			command $cmd >"$T/out" 2>"$T/err" || { bad=1; diag "$what: with room: $?"; diag_file "$T/err"; }
			[ -z "$(left_over)" ] || { bad=1; diag "$what: left then: $(left_over)"; }
		done
		is "$bad" 0 "$cmd with too little $kind: $failed of $STORAGE_STEPS failed, and well"
		ok "$cmd with too little $kind: the first did fail" [ $failed -gt 0 ]
	done
done
enough

# What takes away must work on a full disk.
ok "an image to remove" command build
room size 0
ok "rmi on a full disk" thimble rmi it
ok "prune on a full disk" thimble prune -f
ok "images on a full disk" thimble images
ok "df on a full disk" thimble df
is "$(left_over)" "" "nothing is left"
room nr_inodes 0
enough
ok "an image to remove" command build
room nr_inodes 0
ok "rmi without inodes" thimble rmi it
ok "prune without inodes" thimble prune -f
ok "images without inodes" thimble images
enough

# A store that can only be read.
ok "build" command build
thimble tag it gone && thimble save -o other.tar gone && thimble rmi gone >/dev/null
mount -o remount,ro "$T/small"
ok "read-only: images" thimble images
ok "read-only: inspect" thimble inspect it
ok "read-only: history" thimble history it
ok "read-only: df" thimble df
ok "read-only: save" thimble save --format docker -o ro.tar it
ok "read-only: a rebuild that changes nothing" command build
ok "read-only: cp" thimble cp it:/big -
echo changed >>b/big
echo changed >other
tar -cf b.tar b other
for cmd in build import load-other tag-other run; do
	case $cmd in
	load-other) thimble load -q -i other.tar ;;
	tag-other) thimble tag base third ;;
	*) command $cmd ;;
	esac >"$T/out" 2>"$T/err"
	status=$?
	isnt "$status" 0 "read-only: $cmd fails"
	like "$(cat "$T/err")" 'ead-only' "read-only: $cmd says so"
done
fails 1 "read-only: prune" thimble prune -f
like "$err" 'ead-only' "says so"
fails 1 "read-only: rmi" thimble rmi it
like "$err" 'ead-only' "says so"
mount -o remount,rw "$T/small"
ok "written to again" command build
ok "and run" thimble run --rm it true
is "$(left_over)" "" "nothing is left"
done_testing
