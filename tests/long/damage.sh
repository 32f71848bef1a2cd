#!/bin/sh
# Snapshots that are not what they were: after a reboot (a forged boot id) what is damaged is named
# and never served, and made again where it can be; what is whole is served. Records, indexes, blobs
# and names that are cut off, emptied or filled with zeros are told, in any boot.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/long.sh"
base_image
mkdir b
seq 3000 >b/file
printf 'FROM base\nCOPY file /file\nRUN echo made >/made && ln -s made /link && mkdir -p /d/e && echo x >/d/e/x\n' \
	>b/Dockerfile
boot=0
next_boot() { boot=$((boot + 1)); export THIMBLE_BOOT_ID="boot-$boot"; }
as_owner() { # a user's trees belong to subordinate ids
	if [ "$(id -u)" = 0 ]; then "$@"; else unshare --user --map-root-user --map-auto "$@"; fi
}
# The snapshot that holds a path in its tree.
snapshot_of() {
	for snap in "$THIMBLE_ROOT"/snapshots/*; do
		if [ -e "$snap/tree/$1" ]; then echo "$snap"; fi
	done
}
says() { thimble run --rm it sh -c 'cat /made; tail -n 1 /file; cat /d/e/x' 2>&1; }

next_boot
ok "build" thimble build -q -t it b
good=$(says)
next_boot
is "$(says)" "$good" "in another boot what is whole is served"
ok "a build finds its steps again" thimble build --progress plain -t it b
like "$err" "CACHED|cached" "all cached"

# Whatever comes first after a reboot verifies, as a user too, who sees other owners from outside.
printf 'FROM base\nRUN echo s >/s && chown 5:5 /s && chmod 600 /s && mkdir -m 700 /p && echo x >/p/y && chown -R 9:9 /p\n' \
	>b/owners
ok "an image with owners and closed directories" thimble build -q -f b/owners -t owners b
for first in "build -q -f b/owners -t owners b" "inspect owners" "images -a" "tag owners again" \
	"history owners" "save -o owners.tar owners" "cp owners:/p -" "compare owners" "df" \
	"run --rm owners true"; do
	next_boot
	as_owner sed -i '/^is on-disk$/d' "$THIMBLE_ROOT"/snapshots/*/record
	# shellcheck disable=SC2086  # a command and its words
	ok "first in a boot: $first" thimble $first
	is "$(thimble run --rm owners cat /s)" s "and the image is served"
done
next_boot
as_owner sed -i '/^is on-disk$/d' "$THIMBLE_ROOT"/snapshots/*/record
as_owner sh -c 'echo evil >"$1/tree/made"' sh "$(snapshot_of made)"
ok "first in a boot: a build of what is damaged" thimble build -q -t it b
is "$(says)" "$good" "makes it again"

# damage NAME FILE COMMAND: the snapshot with FILE is changed by COMMAND ($1 is the snapshot)
damage() {
	what=$1 file=$2
	snap=$(snapshot_of "$file")
	isnt "$snap" "" "$what: there is a snapshot with $file"
	as_owner sed -i '/^is on-disk$/d' "$snap/record" # as if it had not been looked at since its making
	as_owner sh -c "$3" sh "$snap"
	next_boot
	said=$(says)
	isnt "$said" "$good" "$what: is not served"
	like "$said" 'damaged' "$what: and named as damaged"
	fails 1 "$what: save does not serve it" thimble save -o it.tar it
	run thimble images it
	like "$out$err" 'damaged' "$what: images says so"
	ok "$what: other images run" thimble run --rm base true
	ok "$what: it is built again" thimble build -q -t it b
	is "$(says)" "$good" "$what: and is right again"
	next_boot
	is "$(says)" "$good" "$what: in the next boot too"
	ok "$what: prune" thimble prune -f
	is "$(says)" "$good" "$what: and after prune"
	is "$(left_over)" "" "$what: nothing is left"
}
damage "a changed byte" file 'm=$(stat -c %y "$1/tree/file"); printf X | dd of="$1/tree/file" conv=notrunc bs=1 seek=99 2>/dev/null; touch -d "$m" "$1/tree/file"'
damage "a shorter file" made ': >"$1/tree/made"'
damage "a missing file" made 'rm "$1/tree/made"'
damage "one file more" d/e/x 'echo y >"$1/tree/d/e/y"'
damage "another mode" made 'chmod 4755 "$1/tree/made"'
damage "another link" made 'ln -sfn /etc "$1/tree/link"'
damage "a file of zeros" file 'n=$(stat -c %s "$1/tree/file"); truncate -s 0 "$1/tree/file"; truncate -s $n "$1/tree/file"'
damage "no tree" made 'rm -r "$1/tree"'

# What is broken in its frame shows in the same boot.
frame() {
	what=$1
	snap=$(snapshot_of made)
	as_owner sh -c "$2" sh "$snap"
	said=$(says)
	if [ "$said" != "$good" ]; then
		like "$said" 'damaged|missing|there is no snapshot|is not in the store|cannot' "$what: told"
	fi
	run thimble images
	is "$status" 0 "$what: images still lists"
	like "$out" '^base ' "$what: the others"
	ok "$what: built again" thimble build -q -t it b
	is "$(says)" "$good" "$what: and right"
	ok "$what: prune" thimble prune -f
	is "$(says)" "$good" "$what: after prune"
}
frame "no record" 'rm "$1/record"'
frame "an empty record" ': >"$1/record"'
frame "a record of zeros" 'n=$(stat -c %s "$1/record"); truncate -s 0 "$1/record"; truncate -s $n "$1/record"'
frame "half a record" 'truncate -s 40 "$1/record"'
frame "no snapshot" 'rm -r "$1"'
frame "no index" 'rm "$1/index"'
frame "half an index" 'truncate -s 60 "$1/index"'
frame "an index of zeros" 'n=$(stat -c %s "$1/index"); truncate -s 0 "$1/index"; truncate -s $n "$1/index"'

# Blobs and names.
manifest() {
	echo "$THIMBLE_ROOT/blobs/sha256/$(sed -n 's/^manifest sha256://p' \
		"$THIMBLE_ROOT"/names/docker.io/library/it/=latest)"
}
printf x >>"$(manifest)"
fails 125 "a manifest with other bytes is not served" thimble run --rm it true
ok "images still lists" thimble images
ok "built again" thimble build -q -t it b
is "$(says)" "$good" "and right"
rm "$(manifest)"
fails 125 "a missing manifest is told" thimble run --rm it true
ok "images still lists" thimble images
ok "built again" thimble build -q -t it b
is "$(says)" "$good" "and right"
: >"$THIMBLE_ROOT/names/docker.io/library/it/=latest"
fails 125 "an empty name is told" thimble run --rm it true
ok "images still lists" thimble images
ok "built again" thimble build -q -t it b
is "$(says)" "$good" "and right"
for file in "$THIMBLE_ROOT"/cache/*/*; do : >"$file"; done
ok "with an empty cache it is built again" thimble build -q -t it b
is "$(says)" "$good" "and right"
ok "prune" thimble prune -f
ok "import mends what was imported" sh -c '"$THIMBLE" import "$0" base' "$(rootfs_tar)"
is "$(says)" "$good" "at the end it still runs"
done_testing
