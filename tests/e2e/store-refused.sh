#!/bin/sh
# A store that is not ours, not there, or not what it was; and snapshots that differ from their index.
. "$(dirname "$0")/../lib/tap.sh"
as_owner() { # a user's trees belong to subordinate ids
	if [ "$(id -u)" = 0 ]; then "$@"; else unshare --user --map-root-user --map-auto "$@"; fi
}
no() { # REGEX ARG...
	no_re=$1
	shift
	fails 1 "$*" thimble "$@"
	like "$err" "$no_re" "says so"
}
# --- where it is
if [ "$(id -u)" != 0 ]; then
	fails 1 "no HOME" env -u HOME -u THIMBLE_ROOT -u XDG_DATA_HOME "$THIMBLE" tag a b
	like "$err" 'no place for the store: HOME is not set' "says so"
	like "$err" 'give one with --root DIR or THIMBLE_ROOT' "and what to do"
	fails 1 "a store of root" thimble --root /root/store images
	like "$err" 'use a store of your own' "says what to do"
	ok "HOME" env -u THIMBLE_ROOT -u XDG_DATA_HOME HOME="$T/home" "$THIMBLE" import "$(rootfs_tar)" x
	ok "has the store" test -d "$T/home/.local/share/thimble/names"
fi
no 'there is no store at' --root "$T/none" tag a b
mkdir "$T/empty" && chmod 700 "$T/empty"
no 'there is no store at' --root "$T/empty" tag a b
: >"$T/file"
no 'make the directory for the store|open the store|make the store' --root "$T/file/x/y" import "$(rootfs_tar)" x
mkdir -m 700 "$T/other" && echo x >"$T/other/something"
no 'something|not empty|no store' --root "$T/other" import "$(rootfs_tar)" x

base_image
# --- the stamp
cp "$THIMBLE_ROOT/stamp" stamp
stamp() { sed "$1" stamp >"$THIMBLE_ROOT/stamp"; }
stamp 's/^thimble-store 1/thimble-store 99/'
no 'use the thimble that made it|99' images
printf 'nonsense\n' >"$THIMBLE_ROOT/stamp"
no "$THIMBLE_ROOT" images
if [ "$(id -u)" = 0 ]; then
	printf 'thimble-store 1\nmode user 1001\n' >"$THIMBLE_ROOT/stamp"
	no "$THIMBLE_ROOT" images
else
	sed -E "s/\b$(id -u)\b/4242/" stamp >"$THIMBLE_ROOT/stamp"
	no "made by uid 4242, this is uid $(id -u)|subordinate ids" images
	sed -E 's/65536/65000/g' stamp >"$THIMBLE_ROOT/stamp"
	cmp -s stamp "$THIMBLE_ROOT/stamp" || no 'was made with subordinate ids' df
	printf 'thimble-store 1\nmode root\n' >"$THIMBLE_ROOT/stamp"
	no "by the machine's root, this is a user namespace" images
fi
cp stamp "$THIMBLE_ROOT/stamp"
ok "as it was" thimble run base true

# --- names
printf 'nonsense' >"$THIMBLE_ROOT/names/docker.io/library/base/=latest"
no "the record of the name 'docker.io/library/base:latest' is damaged" inspect base
like "$err" "tag the image again, or remove the name with 'thimble rmi'" "and what to do"
thimble rmi -f base >/dev/null 2>&1
base_image
deep=$THIMBLE_ROOT/names/docker.io$(printf '/d%.0s' $(seq 300))
mkdir -p "$deep"
no 'nested too deeply' images
like "$err" 'names' "and where"
rm -rf "$THIMBLE_ROOT/names/docker.io/d"
for i in 1 2 3 4 5 6 7 8 9 10; do thimble tag base "name$i"; done
no "there are .* and [0-9]+ more \('thimble images'\)" inspect nosuch

# --- snapshots: one thing differs from the index, and the machine was started again
boot=0
differs() { # DESCRIPTION REGEX COMMAND...: in the tree of a fresh image
	d_name=$1 d_re=$2
	shift 2
	boot=$((boot + 1))
	export THIMBLE_BOOT_ID="boot-$boot"
	printf 'FROM base\nRUN echo file >/file && chmod 644 /file && ln -s file /link && mkdir /dir && echo x >/dir/x && rm -r /root && mkdir /root && rm /bin/vi; echo %s >/n\n' "$boot" >Dockerfile
	thimble build -q -t it . >/dev/null || echo "# no image"
	d_at=
	for d_snap in "$THIMBLE_ROOT"/snapshots/*; do
		if [ -e "$d_snap/tree/file" ] && [ "$(cat "$d_snap/tree/n")" = $boot ]; then d_at=$d_snap; fi
	done
	(cd "$d_at/tree" && as_owner "$@") || echo "# $* failed"
	export THIMBLE_BOOT_ID="boot-$boot-again"
	fails 125 "$d_name" thimble run it true
	like "$err" 'layer 2 of 2 .* is missing or damaged' "names the layer"
	like "$err" 'build, load, pull or import the image again' "and what to do"
	like "$(cat "$d_at/record")" "$d_re" "and the store keeps what is wrong with it"
	thimble rmi -f it >/dev/null 2>&1
	thimble prune -f >/dev/null 2>&1
}
differs "a mode" 'its mode is 0600 and not 0644' chmod 600 file
differs "an owner" 'its owner is [0-9]+:[0-9]+ and not [0-9]+:[0-9]+' chown 5:6 file
differs "a link" "the link leads to 'other' and not to 'file'" ln -sfn other link
# The time stays as it was, else that would be found first.
keep() { # FILE SHELL-TEXT
	printf 'touch -r %s ../time && %s && touch -r ../time %s' "$1" "$2" "$1"
}
differs "bytes" 'digest|content' sh -c "$(keep file 'echo fele >file')"
differs "a length" 'bytes' sh -c "$(keep file 'echo longer >file')"
differs "a file that is gone" 'missing|gone|/file' sh -c "$(keep . 'rm file')"
differs "a file that is a directory" 'it is a directory and not a file' sh -c 'rm file; mkdir file'
differs "a file too many" 'more' sh -c "$(keep dir 'echo x >dir/more')"
differs "an attribute" 'attribute' setfattr -n user.x -v y file
differs "the mark of a deletion" 'deletion|missing|gone' sh -c "$(keep bin 'rm bin/vi')"
differs "a shorter index" 'index' truncate -s 40 ../index
differs "no index" 'index of snapshot .* is missing' rm ../index

# --- in the same boot it is found when the layer goes out: then load makes it again, as the hint says
printf 'FROM base\nRUN echo whole >/file\n' >Dockerfile
thimble build -q -t it . >/dev/null
thimble save -o it.tar it
for d_snap in "$THIMBLE_ROOT"/snapshots/*; do
	[ ! -e "$d_snap/tree/file" ] || (cd "$d_snap/tree" && as_owner sh -c 'echo spoilt >file')
done
fails 1 "save of a damaged layer" thimble save -o again.tar it
like "$err" 'snapshot .* is damaged: its stream has digest|longer|shorter' "says so"
like "$err" 'build, load, pull or import the image again' "and what to do"
ok "load again" thimble load -i it.tar
is "$(thimble run --rm it cat /file)" whole "the image is whole"
ok "and can be saved" thimble save -o again.tar it
ok "as it was" cmp it.tar again.tar
done_testing
