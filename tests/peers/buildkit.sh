#!/bin/sh
# The same Dockerfiles by thimble and by BuildKit, the builder of docker 28: the best judge.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/peers.sh"
need_sid
# As docker 29 has it by default: the store that can stack layers (COPY --link) and save an empty image.
DOCKERD_OPTIONS='--feature containerd-snapshotter' dockerd_start

judge_build() {
	docker_tag=$1 docker_file=$2
	shift 2
	# The daemon has no network of its own; steps that ask for the host's need no leave then.
	set -- -t "$docker_tag" -f "$docker_file" "$@" .
	grep -q -e --network=host "$docker_file" || set -- --network=host "$@"
	docker buildx build --progress plain --provenance=false "$@"
}
judge_save() { docker save -o "$2" "$1"; }
peers_cases buildkit
done_testing
