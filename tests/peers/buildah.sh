#!/bin/sh
# The same Dockerfiles by thimble and by buildah: the same file system, the same config.
# A case is a directory of cases/: the context with its Dockerfile, and
#   Dockerfile.parent  is built first, as the image `parent`
#   prepare            makes what git does not keep (modes, links, archives)
#   options            more words for both command lines
#   differs            where dockerfile.md and buildah disagree: the lines that compare.py then
#                      prints (thimble's value / buildah's), after lines with # that say why
#   refused            thimble refuses it with an error that matches this regex; so does buildah
#   unjudged           says why buildah is no judge; then `expect` is what the image changes in base
# They run in a sample that changes with the day; PEERS=all runs all, PEERS='NAME…' these.
# The cases keep clear of what buildah 1.28 does otherwise than docker:
# SHELL is not used for the string forms of CMD and ENTRYPOINT; `# escape=` does not hold in ENV; a
# WORKDIR is made, and owned, only by the next RUN or COPY; the root entry of an archive changes the
# directory that ADD unpacks into; --chmod does not hold for directories that COPY makes.
. "$(dirname "$0")/../lib/tap.sh"
need_root

buildah() {
	command buildah --root "$T/buildah" --runroot "$T/buildah-run" --storage-driver overlay "$@"
}
buildah_build() { # NAME FILE OPTION...
	buildah_tag=$1 buildah_file=$2
	shift 2
	buildah build --isolation chroot --network host --format docker --layers \
		--identity-label=false -t "$buildah_tag" -f "$buildah_file" "$@" .
}

# One base for both: the tests' root file system with what a builder would otherwise put there for
# its own mounts, and something to delete.
mkdir "$T/base"
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
tar -C "$T/base" --sort=name --numeric-owner -cf "$T/base.tar" .
mkdir "$T/basectx"
mv "$T/base.tar" "$T/basectx/"
printf 'FROM scratch\nADD base.tar /\nENV PATH=/bin\nCMD ["sh"]\n' >"$T/basectx/Dockerfile"
cd "$T/basectx" || exit 1
ok "buildah: the base image" buildah_build base Dockerfile
ok "thimble: the base image" thimble import -c 'ENV PATH=/bin' -c 'CMD ["sh"]' base.tar base

save() { # NAME: from both builders
	rm -f "$T/a.tar" "$T/b.tar"
	thimble save --format docker -o "$T/a.tar" "$1" &&
		buildah push "$1" "docker-archive:$T/b.tar:$1:latest"
}
ok "base: saved" save base
ok "base: the same" "$tests/peers/compare.py" "$T/a.tar" "$T/b.tar"

judged() { # OPTION...: both build it, and the images are the same but for `differs`
	ok "$name: buildah" buildah_build "$name" Dockerfile "$@" || return
	ok "$name: thimble" thimble build -q -t "$name" "$@" . || return
	ok "$name: saved" save "$name" || return
	run "$tests/peers/compare.py" "$T/a.tar" "$T/b.tar"
	is "$out" "$(sed '/^#/d' "$control/differs" 2>/dev/null)" "$name: the same"
}
unjudged() { # OPTION...
	ok "$name: thimble" thimble build -q -t "$name" "$@" . || return
	rm -f "$T/a.tar"
	ok "$name: saved" thimble save --format docker -o "$T/a.tar" "$name" || return
	run "$tests/peers/compare.py" --changes "$T/base-a.tar" "$T/a.tar"
	is "$out" "$(cat "$control/expect")" "$name: as dockerfile.md has it"
}
refused() { # OPTION...
	fails 1 "$name: thimble refuses it" thimble build -q "$@" . || return
	like "$err" "$(cat "$control/refused")" "$name: says why"
	[ -e "$control/unjudged" ] && return
	run buildah_build "$name" Dockerfile "$@"
	isnt "$status" 0 "$name: buildah refuses it too"
}

rm -f "$T/base-a.tar"
thimble save --format docker -o "$T/base-a.tar" base
number=0 day=$(($(date +%s) / 86400))
for case in "$tests"/peers/cases/*; do
	name=$(basename "$case")
	number=$((number + 1))
	case " ${PEERS-} " in
	"  ") [ $(((number + day) % 4)) = 0 ] || continue ;;
	" all "|*" $name "*) ;;
	*) continue ;;
	esac
	rm -rf "$T/ctx" "$T/control"
	cp -R "$case" "$T/ctx"
	cd "$T/ctx" || exit 1
	control=$T/control options=
	mkdir "$control"
	for file in prepare options differs refused unjudged expect; do
		[ ! -e "$file" ] || mv "$file" "$control/"
	done
	if [ -e "$control/prepare" ]; then
		sh -e "$control/prepare" || exit 1
	fi
	if [ -e "$control/options" ]; then
		options=$(cat "$control/options")
	fi
	if [ -e Dockerfile.parent ]; then
		[ -e "$control/unjudged" ] ||
			ok "$name: buildah, parent" buildah_build parent Dockerfile.parent
		ok "$name: thimble, parent" thimble build -q -t parent -f Dockerfile.parent .
	fi
	# shellcheck disable=SC2086  # options are words
	if [ -e "$control/refused" ]; then
		refused $options
	elif [ -e "$control/unjudged" ]; then
		unjudged $options
	else
		judged $options
	fi
done

# The judge itself can say no.
buildah push base "docker-archive:$T/base-b.tar:base:latest" >/dev/null 2>&1
fails 1 "another image is told apart" "$tests/peers/compare.py" "$T/a.tar" "$T/base-b.tar"
cd /
done_testing
