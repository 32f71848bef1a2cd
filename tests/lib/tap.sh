# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034  # what a test reads, it does not use itself
# tests/lib/tap.sh: what an end-to-end test stands on. A test opens with
#
#	#!/bin/sh
#	# what it is about
#	. "$(dirname "$0")/../lib/tap.sh"
#	base_image                       # if it needs one: busybox as `base`, with /bin/hello
#	…
#	done_testing
#
# It has an empty directory $T, where it stands, and a store of its own under it ($THIMBLE_ROOT).
# Both go away at the end. `thimble` is the program under test. A test that ends without
# done_testing has no plan, and so fails.

set -u
export LC_ALL=C.UTF-8 TZ=UTC NO_COLOR=1
unset SOURCE_DATE_EPOCH CDPATH
tests=$(cd "$(dirname "$0")/.." && pwd)
: "${THIMBLE:=$(cd "$tests/.." && pwd)/build/thimble}"
T=$(mktemp -d "${TMPDIR:-/tmp}/thimble-e2e.XXXXXX") || exit 1
export THIMBLE T
export THIMBLE_ROOT="$T/store"
tap_count=0
tap_failed=0
umask 022

# No test leaves this machine: what would be asked of Docker's registry is refused here at once. Tests of
# registries have some of their own.
export CONTAINERS_REGISTRIES_CONF="$T/registries.conf" DOCKER_CONFIG="$T/docker"
unset REGISTRY_AUTH_FILE http_proxy https_proxy all_proxy HTTPS_PROXY ALL_PROXY
printf '[[registry]]\nprefix = "docker.io"\nlocation = "127.0.0.1:1"\n' >"$CONTAINERS_REGISTRIES_CONF"
mkdir "$DOCKER_CONFIG" && echo '{}' >"$DOCKER_CONFIG/config.json" # old buildah wants a file

# A user's store holds files of subordinate ids: removing them needs the same user namespace.
tap_tidy() {
	cd /
	if [ -n "${TAP_KEEP-}" ]; then
		echo "# kept: $T"
		return
	fi
	# buildah leaves its storage mounted on itself.
	awk -v t="$T/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
		while read -r tap_mount; do umount -l "$tap_mount" 2>/dev/null; done
	rm -rf --one-file-system "$T" 2>/dev/null && return
	chmod -R u+rwX "$T" 2>/dev/null
	unshare --user --map-root-user --map-auto rm -rf "$T" 2>/dev/null || rm -rf "$T"
}
trap tap_tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 141' PIPE
mkdir -p "$T/w"
cd "$T/w" || exit 1

thimble() { "$THIMBLE" "$@"; }

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }
diag_file() { sed 's/^/#   /' "$1" | head -n "${2:-40}"; }

tap_result() { # STATUS DESCRIPTION
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $2"
	fi
	return "$1"
}

# run COMMAND...: its output in files $T/out and $T/err and in $out and $err, its status in $status
run() {
	"$@" >"$T/out" 2>"$T/err" </dev/null
	status=$?
	out=$(cat "$T/out")
	err=$(cat "$T/err")
	return 0
}

# ok DESCRIPTION COMMAND...: the command must succeed
ok() {
	tap_desc=$1
	shift
	run "$@"
	tap_result "$status" "$tap_desc" && return 0
	diag "status $status from: $*"
	diag_file "$T/out"
	diag_file "$T/err"
	return 1
}

# fails STATUS DESCRIPTION COMMAND...: the command must end with just this status
fails() {
	tap_want=$1 tap_desc=$2
	shift 2
	run "$@"
	if [ "$status" = "$tap_want" ]; then
		tap_result 0 "$tap_desc"
		return
	fi
	tap_result 1 "$tap_desc"
	diag "status $status, not $tap_want, from: $*"
	diag_file "$T/out"
	diag_file "$T/err"
	return 1
}

# is GOT WANT DESCRIPTION
is() {
	if [ "$1" = "$2" ]; then
		tap_result 0 "$3"
		return
	fi
	tap_result 1 "$3"
	diag "got:  $1"
	diag "want: $2"
	return 1
}
isnt() {
	if [ "$1" != "$2" ]; then
		tap_result 0 "$3"
		return
	fi
	tap_result 1 "$3"
	diag "got what it must not be: $1"
	return 1
}

# like TEXT REGEX DESCRIPTION: some line matches (grep -E)
like() {
	if printf '%s\n' "$1" | grep -qE -e "$2"; then
		tap_result 0 "$3"
		return
	fi
	tap_result 1 "$3"
	diag "got:      $1"
	diag "no match: $2"
	return 1
}
unlike() {
	if ! printf '%s\n' "$1" | grep -qE -e "$2"; then
		tap_result 0 "$3"
		return
	fi
	tap_result 1 "$3"
	diag "got:   $1"
	diag "match: $2"
	return 1
}

# golden FILE NAME DESCRIPTION: FILE reads like tests/e2e/golden/NAME, once what differs from run
# to run (the test's directory, digests, times, how long it took) has been given names.
# `make golden` writes it instead; the diff is then read in review.
golden() {
	tap_gold=$tests/e2e/golden/$2
	sed -E -e "s|$T|T|g" -e 's/sha256:[0-9a-f]{64}/sha256:DIGEST/g' \
		-e 's/\b[0-9a-f]{64}\b/DIGEST/g' -e 's/\b[0-9a-f]{12}\b/SHORT/g' \
		-e 's/\b[0-9]+([.][0-9]+)? ?(ms|s)\b/TIME/g' \
		-e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+Z?/DATE/g' "$1" >"$T/golden"
	if [ -n "${GOLDEN-}" ]; then
		mkdir -p "$(dirname "$tap_gold")" && cp "$T/golden" "$tap_gold"
	fi
	if cmp -s "$T/golden" "$tap_gold"; then
		tap_result 0 "$3"
		return
	fi
	tap_result 1 "$3"
	diff -u "$tap_gold" "$T/golden" 2>&1 | sed 's/^/# /'
	return 1
}

# skip REASON DESCRIPTION: one test that cannot run here. The reason must stand in
# tests/skips.allowed, or the whole run fails.
skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $2 # SKIP $1"
}
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}
need_root() { [ "$(id -u)" = 0 ] || skip_all "needs root"; }
need_user() { [ "$(id -u)" != 0 ] || skip_all "is about an ordinary user"; }

done_testing() {
	echo "1..$tap_count"
	exit $((tap_failed > 0))
}

# A small root file system as a tar: busybox with its names, a static /bin/hello, passwd, group.
# Made once for a whole run (tests/run sets TAP_CACHE), else once a test.
rootfs_tar() {
	tap_tar=${TAP_CACHE:-$T}/rootfs.tar
	[ -e "$tap_tar" ] || "$tests/lib/make-rootfs" "$tap_tar" || return 1
	printf '%s\n' "$tap_tar"
}

# base_image [NAME]...: imports it into the test's store (as `base` if no name is given)
base_image() {
	[ $# -gt 0 ] || set -- base
	tap_rootfs=$(rootfs_tar) || { echo "Bail out! no root file system"; exit 1; }
	thimble import -c 'ENV PATH=/bin' -c 'CMD ["sh"]' "$tap_rootfs" "$1" >"$T/out" 2>"$T/err" || {
		diag_file "$T/err"
		echo "Bail out! cannot import the base image"
		exit 1
	}
	tap_first=$1
	shift
	for tap_name in "$@"; do
		thimble tag "$tap_first" "$tap_name"
	done
}

# dockerfile [FILE] <<EOF …: writes a Dockerfile in the current directory
dockerfile() { cat >"${1:-Dockerfile}"; }
