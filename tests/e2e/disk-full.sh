#!/bin/sh
# A full disk: said plainly, nothing half-made is left, and it works again with room.
. "$(dirname "$0")/../lib/tap.sh"
need_root
mkdir "$T/small"
if ! mount -t tmpfs -o size=12m none "$T/small" 2>/dev/null; then
	skip_all "cannot mount a tmpfs"
fi
trap 'umount -l "$T/small"; tap_tidy' EXIT
export THIMBLE_ROOT="$T/small/store"
base_image
before=$(thimble images -q --no-trunc base)
dd if=/dev/urandom of=big bs=1M count=20 2>/dev/null
printf 'FROM base\nCOPY big /big\n' >Dockerfile
fails 1 "COPY of more than there is room for" thimble build --progress quiet -t it .
like "$err" 'No space left|full|room' "says so"
printf 'FROM base\nRUN dd if=/dev/zero of=/big bs=1M count=20\n' >Dockerfile
fails 1 "RUN that fills the disk" thimble build --progress quiet -t it .
is "$(thimble images -q --no-trunc base)" "$before" "the images are as they were"
is "$(ls "$THIMBLE_ROOT/tmp" | wc -l)" 0 "nothing half-made is left"
printf 'FROM base\nRUN echo small >/small\n' >Dockerfile
ok "a small one still builds" thimble build -q -t it .
fails 1 "a result that cannot be written" sh -c '"$THIMBLE" inspect base >/dev/full'
like "$err" 'No space left|standard output|full' "says so"
# What is written elsewhere: the store is not at fault.
export THIMBLE_ROOT="$T/store"
printf 'FROM base\nCOPY big /big\n' >Dockerfile
ok "a store with room" sh -c '"$THIMBLE" import "$1" base && "$THIMBLE" build -q -t it .' sh "$(rootfs_tar)"
for to in "oci:$T/small/layout:x" "oci-archive:$T/small/a.tar" "dir:$T/small/dir"; do
	fails 1 "${to%%:*}: no room for it" thimble copy it "$to"
	like "$err" 'No space left' "${to%%:*}: says so"
	like "$err" 'try +free some space on that disk, or use another one' "${to%%:*}: and what to do"
	unlike "$err" 'another store' "${to%%:*}: which is not to move the store"
done
is "$(find "$T/small" -name '*.tar' -o -name index.json -o -name manifest.json)" '' "nothing has a name"
done_testing
