#!/bin/sh
# The same Dockerfiles by thimble and by Debian 12's buildah (tests/lib/peers.sh).
# The cases keep clear of what buildah 1.28 does otherwise than docker:
# SHELL is not used for the string forms of CMD and ENTRYPOINT; `# escape=` does not hold in ENV; a
# WORKDIR is made, and owned, only by the next RUN or COPY; the root entry of an archive changes the
# directory that ADD unpacks into; --chmod does not hold for directories that COPY makes.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/peers.sh"
need_root

buildah() {
	command buildah --root "$T/buildah" --runroot "$T/buildah-run" --storage-driver overlay "$@"
}
judge_build() {
	buildah_tag=$1 buildah_file=$2
	shift 2
	buildah build --isolation chroot --network host --format docker --layers \
		--identity-label=false -t "$buildah_tag" -f "$buildah_file" "$@" .
}
judge_save() { buildah push "$1" "docker-archive:$2:$1:latest"; }
peers_cases ''
done_testing
