#!/bin/sh
# The same Dockerfiles by thimble and by buildah: the same file system, the same config.
# A case is a directory of cases/: the context with its Dockerfile; `prepare` makes what git does
# not keep (modes, links, archives); `options` are more words for both command lines;
# Dockerfile.parent is built first, as the image `parent`.
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

for case in "$tests"/peers/cases/*; do
	name=$(basename "$case")
	rm -rf "$T/ctx"
	cp -R "$case" "$T/ctx"
	cd "$T/ctx" || exit 1
	if [ -e prepare ]; then
		sh -e ./prepare || exit 1
		rm prepare
	fi
	options=
	if [ -e options ]; then
		options=$(cat options)
		rm options
	fi
	if [ -e Dockerfile.parent ]; then
		ok "$name: buildah, parent" buildah_build parent Dockerfile.parent
		ok "$name: thimble, parent" thimble build -q -t parent -f Dockerfile.parent .
	fi
	# shellcheck disable=SC2086  # options are words
	ok "$name: buildah" buildah_build "$name" Dockerfile $options || continue
	# shellcheck disable=SC2086
	ok "$name: thimble" thimble build -q -t "$name" $options . || continue
	ok "$name: saved" save "$name"
	ok "$name: the same" "$tests/peers/compare.py" "$T/a.tar" "$T/b.tar"
done

# The judge itself can say no.
buildah push base "docker-archive:$T/base-b.tar:base:latest" >/dev/null 2>&1
fails 1 "another image is told apart" "$tests/peers/compare.py" "$T/a.tar" "$T/base-b.tar"
cd /
done_testing
