# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# tests/lib/peers.sh: the Dockerfiles of tests/peers/cases by thimble and by another builder, the
# judge: the same file system, the same config. Sourced by tests/peers/*.sh after tap.sh; these have
#   judge_build    NAME FILE OPTION...: builds the image NAME in the current directory
#   judge_save     NAME ARCHIVE: writes it as a docker-archive
# and call peers_cases JUDGE, '' for Debian 12's buildah or a word that ends names below. A case is
# a directory of cases/: the context with its Dockerfile, and
#   Dockerfile.parent  is built first, as the image `parent`
#   prepare            makes what git does not keep (modes, links, archives)
#   options            more words for both command lines
#   refused            thimble refuses it with an error that matches this regex; so does the judge
#   differs, differs.JUDGE    where dockerfile.md and the judge disagree: the lines that compare.py
#                      then prints (thimble's value / the judge's), after lines with # that say why
#   unjudged, unjudged.JUDGE  says why the judge is none
#   expect             what the image changes in base, where Debian 12's buildah is no judge
# They run in a sample that changes with the day; PEERS=all runs all, PEERS='NAME…' these.
# PEERS_CASES=DIR looks there for them.

# buildah 1.28 wants the file of credentials to be there if DOCKER_CONFIG names its directory.
if [ -n "${DOCKER_CONFIG-}" ]; then
	mkdir -p "$DOCKER_CONFIG"
	[ -e "$DOCKER_CONFIG/config.json" ] || echo '{}' >"$DOCKER_CONFIG/config.json"
fi

# The newer peers live in a root of their own: tests/peers/sid-root. It takes minutes and 850 MB to
# make, so nobody gets it unasked.
need_sid() {
	need_root
	[ -n "${PEERS_SID-}" ] || skip_all "no newer peers (PEERS_SID)"
	[ -e "$PEERS_SID" ] || "$tests/peers/sid-root" make "$PEERS_SID" ||
		skip_all "no newer peers can be installed here"
	"$tests/peers/sid-root" check "$PEERS_SID" || skip_all "no newer peers can run here"
}
sid() { "$tests/peers/sid-root" enter "$PEERS_SID" --bind "$T" "$@"; }

# The scripts of tests/interop run with Debian 12's tools, and with the newer ones if PEERS_NEWER
# is set (tests/interop/sid-*.sh).
peers_tools() { if [ -n "${PEERS_NEWER-}" ]; then need_sid; else need_root; fi; }
peer() { if [ -n "${PEERS_NEWER-}" ]; then sid "$@"; else command "$@"; fi; }

# dockerd_start: a Docker daemon of that root, which keeps all below $T/daemon; ends with the test.
dockerd_start() {
	mkdir "$T/daemon"
	mkfifo "$T/daemon/stop"
	# shellcheck disable=SC2016  # for the inner shell
	"$tests/peers/sid-root" dockerd "$PEERS_SID" "$T/daemon" \
		sh -c ': >"$1/ready"; read -r line <"$1/stop"' sh "$T/daemon" 2>"$T/daemon/err" &
	dockerd_pid=$!
	while [ ! -e "$T/daemon/ready" ]; do
		kill -0 $dockerd_pid 2>/dev/null || {
			diag_file "$T/daemon/err"
			skip_all "no Docker daemon can run here"
		}
		sleep 0.1
	done
	trap 'dockerd_stop; tap_tidy' EXIT
}
dockerd_stop() {
	[ -n "${dockerd_pid-}" ] || return 0
	echo >"$T/daemon/stop"
	wait "$dockerd_pid"
	dockerd_pid=
}
docker() {
	"$tests/peers/sid-root" enter "$PEERS_SID" --bind "$T" \
		env DOCKER_HOST="unix://$T/daemon/docker/socket" docker "$@"
}

# One base for both: the tests' root file system with what a builder would otherwise put there for
# its own mounts, and something to delete. As base.tar in $T/basectx.
peers_base() {
	mkdir "$T/base" "$T/basectx"
	tar -C "$T/base" -xf "$(rootfs_tar)"
	(
		cd "$T/base" || exit 1
		mkdir -p dev proc sys run home/app/old data usr/share/doc srv opt
		chown -R 1000:1000 home/app
		echo old >home/app/old/file
		echo old >data/old
		echo doc >usr/share/doc/doc
		echo hi >etc/motd
		: >etc/hosts
		: >etc/resolv.conf
		: >etc/hostname
	)
	tar -C "$T/base" --sort=name --numeric-owner -cf "$T/basectx/base.tar" .
	printf 'FROM scratch\nADD base.tar /\nENV PATH=/bin\nCMD ["sh"]\n' >"$T/basectx/Dockerfile"
	cd "$T/basectx" || exit 1
	ok "the judge: the base image" judge_build base Dockerfile
	ok "thimble: the base image" thimble import -c 'ENV PATH=/bin' -c 'CMD ["sh"]' base.tar base
	ok "base: saved" peers_save base
	ok "base: the same" "$tests/peers/compare.py" "$T/a.tar" "$T/b.tar"
	cp "$T/a.tar" "$T/base-a.tar"
	cp "$T/b.tar" "$T/base-b.tar"
}

peers_save() { # NAME: from both builders
	rm -f "$T/a.tar" "$T/b.tar"
	thimble save --format docker -o "$T/a.tar" "$1" && judge_save "$1" "$T/b.tar"
}

judged() { # OPTION...: both build it, and the images are the same but for `differs`
	ok "$name: the judge builds it" judge_build "$name" Dockerfile "$@" || return
	ok "$name: thimble builds it" thimble build -q -t "$name" "$@" . || return
	ok "$name: saved" peers_save "$name" || return
	run "$tests/peers/compare.py" "$T/a.tar" "$T/b.tar"
	is "$out$err" "$(sed '/^#/d' "$control/differs$suffix" 2>/dev/null)" "$name: the same"
}
unjudged() { # OPTION...
	ok "$name: thimble builds it" thimble build -q -t "$name" "$@" . || return
	rm -f "$T/a.tar"
	ok "$name: saved" thimble save --format docker -o "$T/a.tar" "$name" || return
	run "$tests/peers/compare.py" --changes "$T/base-a.tar" "$T/a.tar"
	is "$out" "$(cat "$control/expect")" "$name: as dockerfile.md has it"
}
refused() { # OPTION...
	fails 1 "$name: thimble refuses it" thimble build -q "$@" . || return
	like "$err" "$(cat "$control/refused")" "$name: says why"
	[ ! -e "$control/unjudged$suffix" ] || return
	run judge_build "$name" Dockerfile "$@"
	isnt "$status" 0 "$name: the judge refuses it too"
	[ -z "${PEERS_VERBOSE-}" ] || diag_file "$T/err"
}

# peers_cases JUDGE [ONLY]: of the cases that have a file ONLY, if one is named, those of PEERS
peers_cases() {
	suffix=${1:+.$1} only=${2-}
	peers_base
	number=0 day=$(($(date +%s) / 86400))
	for case in "${PEERS_CASES:-$tests/peers/cases}"/*; do
		name=$(basename "$case")
		number=$((number + 1))
		case " ${PEERS-} " in
		"  ") [ $(((number + day) % 4)) = 0 ] || continue ;;
		" all "|*" $name "*) ;;
		*) continue ;;
		esac
		[ -z "$only" ] || [ -e "$case/$only" ] || continue
		# What needs no judge was seen beside the first.
		[ -z "$suffix" ] || [ ! -e "$case/unjudged$suffix" ] || continue
		peers_case
	done

	# The judge itself can say no.
	cd "$T/basectx" || exit 1
	printf 'FROM base\nENV OTHER=1\nCOPY Dockerfile /etc/motd\n' >Dockerfile
	ok "another image" thimble build -q -t other .
	ok "saved" thimble save --format docker -o "$T/other.tar" other
	fails 1 "another image is told apart" "$tests/peers/compare.py" "$T/other.tar" "$T/base-b.tar"
	cd /
}
# The cases that no judge of all can judge, and why.
peers_unjudged() {
	for case in "$tests"/peers/cases/*; do
		[ -e "$case/unjudged" ] && [ -e "$case/unjudged.buildkit" ] && [ -e "$case/unjudged.buildah-sid" ] &&
			diag "no judge for $(basename "$case"): $(cat "$case/unjudged.buildkit")"
	done
}
peers_case() {
	rm -rf "$T/ctx" "$T/control"
	cp -R "$case" "$T/ctx"
	cd "$T/ctx" || exit 1
	control=$T/control options=
	mkdir "$control"
	for file in prepare options refused expect differs* unjudged*; do
		[ ! -e "$file" ] || mv "$file" "$control/"
	done
	if [ -e "$control/prepare" ]; then
		sh -e "$control/prepare" || exit 1
	fi
	if [ -e "$control/options" ]; then
		options=$(cat "$control/options")
	fi
	if [ -e Dockerfile.parent ]; then
		[ -e "$control/unjudged$suffix" ] ||
			ok "$name: the judge, parent" judge_build parent Dockerfile.parent
		ok "$name: thimble, parent" thimble build -q -t parent -f Dockerfile.parent .
	fi
	# shellcheck disable=SC2086  # options are words
	if [ -e "$control/refused" ]; then
		refused $options
	elif [ -e "$control/unjudged$suffix" ]; then
		unjudged $options
	else
		judged $options
	fi
}
