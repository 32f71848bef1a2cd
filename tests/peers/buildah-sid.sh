#!/bin/sh
# The Dockerfiles of which BuildKit is no judge, by thimble and by a newer buildah.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/peers.sh"
need_sid

buildah() {
	sid buildah --root "$T/buildah" --runroot "$T/buildah-run" --storage-driver overlay "$@"
}
judge_build() {
	buildah_tag=$1 buildah_file=$2
	shift 2
	buildah build --isolation oci --network host --format docker --layers \
		--identity-label=false -t "$buildah_tag" -f "$buildah_file" "$@" .
}
judge_save() { buildah push "$1" "docker-archive:$2:$1:latest"; }
peers_cases buildah-sid unjudged.buildkit
peers_unjudged
done_testing
