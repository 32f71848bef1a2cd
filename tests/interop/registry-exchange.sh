#!/bin/sh
# What thimble pushes is pulled by skopeo, podman and buildah, and the other way round, through
# docker-registry: the same digests, the same files; gzip, zstd, uncompressed; OCI's and Docker's
# manifests; indexes.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/peers.sh"
. "$tests/lib/registry/registry.sh"
peers_tools
cat >containers.conf <<'C'
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
C
export CONTAINERS_CONF="$T/w/containers.conf"
skopeo() { peer skopeo --insecure-policy "$@"; }
buildah() { peer buildah --root "$T/c" --runroot "$T/c-run" --storage-driver overlay "$@"; }
podman() { peer podman --root "$T/c" --runroot "$T/c-run" --storage-driver overlay "$@"; }
base_image
registry plain
plain=$host

mkdir ctx
cp "$(rootfs_tar)" ctx/base.tar
cat >ctx/Dockerfile <<'D'
FROM scratch
ADD base.tar /
RUN echo one >/made && ln /made /hard && chown 1000:50 /made && chmod 2755 /made && rm /etc/group
RUN mkdir -p /new && ln -s ../made /new/link
ENV KEY=value
LABEL made=here
CMD ["/bin/sh", "-c", "cat /made; stat -c '%a %u %g %h' /hard; ls /new; test ! -e /etc/group"]
D
want=$(printf 'one\n2755 1000 50 2\nlink')
ok "thimble builds" thimble build -q -t x ctx
id=$(thimble inspect --format '{{.Id}}' x)
ok "buildah builds" buildah build -q --isolation chroot --network host --layers -t localhost/x ctx

remote() { skopeo inspect --tls-verify=false --raw "docker://$plain/$1"; }
of() { # PYTHON: v is the JSON on standard input
	python3 -c "import json, sys
v = json.load(sys.stdin)
print($1)"
}
digest() { echo "sha256:$(sha256sum | cut -d' ' -f1)"; }
runs() { # NAME DESCRIPTION
	ok "$2: it runs" thimble run --rm --pull never "$1"
	is "$out" "$want" "$2: as it was built"
}

# --- thimble pushes ------------------------------------------------------------------------------
push_round() { # NAME MANIFEST-TYPE LAYER-TYPE OPTION...
	chosen || return 0
	what=$1 type=$2 layer=$3
	shift 3
	ok "push $what" thimble push --digestfile digest "$@" x "$plain/ours/$what:1"
	remote "ours/$what:1" >manifest
	is "$(cat digest)" "$(digest <manifest)" "$what: the digest that was told"
	is "$(of 'v["mediaType"]' <manifest)" "$type" "$what: manifest's type"
	is "$(of '"\n".join(sorted({l["mediaType"] for l in v["layers"]}))' <manifest)" "$layer" "$what: layers' type"
	is "$(of 'v["config"]["digest"]' <manifest)" "$id" "$what: the config is IMAGE ID"
	ok "$what: skopeo copies it" skopeo copy --src-tls-verify=false "docker://$plain/ours/$what:1" "dir:d-$what"
	is "$(digest <"d-$what/manifest.json")" "$(cat digest)" "$what: skopeo has the same manifest"
	ok "$what: podman pulls it" podman pull -q --tls-verify=false "$plain/ours/$what:1"
	is "sha256:$(tail -n 1 "$T/out")" "$id" "$what: podman's id"
	ok "$what: buildah takes it" buildah from --name "c-$what" --tls-verify=false "$plain/ours/$what:1"
	run buildah mount "c-$what"
	is "$(chroot "$out" /bin/sh -c 'cat /made; stat -c "%a %u %g %h" /hard; ls /new')" "$want" "$what: its files"
	buildah rm "c-$what" >/dev/null
	ok "$what: thimble pulls it" thimble --root "$T/two" pull "$plain/ours/$what:1"
	is "$(thimble --root "$T/two" inspect --format '{{.Id}}' "$plain/ours/$what:1")" "$id" "$what: the same id"
	rm -rf "$T/three"
}
oci=application/vnd.oci.image docker=application/vnd.docker
push_round gzip $oci.manifest.v1+json $oci.layer.v1.tar+gzip
push_round zstd $oci.manifest.v1+json $oci.layer.v1.tar+zstd --compression zstd
push_round none $oci.manifest.v1+json $oci.layer.v1.tar --compression none
push_round docker $docker.distribution.manifest.v2+json $docker.image.rootfs.diff.tar.gzip --format docker

# --- they push -----------------------------------------------------------------------------------
pull_round() { # WHAT COMMAND...: it pushes theirs/WHAT:1
	chosen || return 0
	theirs=$1
	shift
	ok "$theirs: pushed by its maker" "$@"
	set -- "$theirs"
	remote "theirs/$1:1" >manifest
	theirs=$(digest <manifest)
	ok "$1: thimble pulls it" thimble pull --json "$plain/theirs/$1:1"
	is "$(of 'v[0]["Digest"]' <"$T/out")" "$theirs" "$1: the same digest"
	is "$(of 'v[0]["ID"]' <"$T/out")" "$(of 'v["config"]["digest"]' <manifest)" "$1: the same id"
	runs "$plain/theirs/$1:1" "$1"
	ok "$1: thimble pushes it again" thimble push --digestfile digest "$plain/theirs/$1:1" "$plain/again/$1:1"
	is "$(cat digest)" "$theirs" "$1: the digest stays"
	forget "$plain/theirs/$1:1"
}
for format in oci v2s2; do
	for compression in gzip zstd; do
		[ "$format-$compression" != v2s2-zstd ] || continue # Docker's format has no zstd
		pull_round "$format-$compression" buildah push -q --tls-verify=false --format $format \
			--compression-format $compression localhost/x "$plain/theirs/$format-$compression:1"
	done
done
pull_round podman podman push -q --tls-verify=false localhost/x "$plain/theirs/podman:1"
ok "buildah pushes to a layout, uncompressed" buildah push -q --disable-compression localhost/x oci:layout:x
pull_round none skopeo copy --dest-tls-verify=false --preserve-digests oci:layout:x "docker://$plain/theirs/none:1"

# --- indexes -----------------------------------------------------------------------------------
for arch in amd64 arm64 riscv64; do
	printf 'FROM scratch\nCOPY Dockerfile /%s\n' $arch >ctx/Dockerfile.$arch
	ok "buildah builds for $arch" buildah build -q --platform linux/$arch --manifest list -f ctx/Dockerfile.$arch ctx
done
for format in oci v2s2; do
	chosen || continue
	ok "buildah pushes a list, $format" buildah manifest push --all --tls-verify=false --format $format list \
		"docker://$plain/index/$format:1"
	remote "index/$format:1" >index
	for arch in amd64 arm64 riscv64; do
		ok "pull --platform linux/$arch" thimble pull --json --platform linux/$arch "$plain/index/$format:1"
		is "$(of 'v[0]["Digest"]' <"$T/out")" "$(digest <index)" "the index's digest"
		is "$(of 'v[0]["Manifest"]' <"$T/out")" "$(of "next(m['digest'] for m in v['manifests']
if m['platform']['architecture'] == '$arch')" <index)" "the manifest of $arch"
		ok "its file is there" thimble cp "$plain/index/$format:1:/$arch" .
	done
	fails 1 "no such platform" thimble pull --platform linux/s390x "$plain/index/$format:1"
	like "$err" 'amd64.*arm64.*riscv64' "those that there are"
	ok "thimble copies it whole" thimble copy --all "docker://$plain/index/$format:1" "docker://$plain/copied/$format:1"
	is "$(remote "copied/$format:1" | digest)" "$(digest <index)" "the same index"
	ok "skopeo reads it" skopeo copy --all --src-tls-verify=false "docker://$plain/copied/$format:1" "dir:idx-$format"
	ok "skopeo copies it into a layout" skopeo copy --all --src-tls-verify=false "docker://$plain/index/$format:1" "oci:lay-$format:1"
done
done_testing
