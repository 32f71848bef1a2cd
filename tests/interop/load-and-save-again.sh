#!/bin/sh
# What podman, buildah, skopeo and umoci save loads, runs, and is saved again with the digests it
# came with: config and diff ids always, compressed layers and manifest where an OCI image stays one.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/peers.sh"
peers_tools
cat >containers.conf <<'C'
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
C
export CONTAINERS_CONF="$T/w/containers.conf"
skopeo() { peer skopeo --insecure-policy "$@"; }
umoci() { peer umoci "$@"; }
buildah() {
	peer buildah --root "$T/c" --runroot "$T/c-run" --storage-driver overlay "$@"
}
podman() { peer podman --root "$T/c" --runroot "$T/c-run" --storage-driver overlay "$@"; }

mkdir ctx
cp "$(rootfs_tar)" ctx/base.tar
cat >ctx/Dockerfile <<'D'
FROM scratch
ADD base.tar /
RUN echo one >/made && ln /made /hard && rm /etc/group && chown 1000:50 /made && chmod 2755 /made
RUN rm -r /var && mkdir -p /var/new && ln -s ../made /var/link
ENV KEY=
CMD ["/bin/sh", "-c", "echo $KEY; cat /made; stat -c '%a %u %g %h' /hard; ls /var; test ! -e /etc/group"]
D
want() { printf '%s\none\n2755 1000 50 2\nlink\nnew' "$1"; }
for n in first second; do
	sed -i "s/^ENV.*/ENV KEY=$n/" ctx/Dockerfile
	ok "buildah builds the $n" buildah build --isolation chroot --network host --layers \
		-t "localhost/it:$n" ctx
done

config() { # TRANSPORT:FILE[:NAME]
	skopeo inspect --config --raw "$1" | sha256sum
}
manifest() { skopeo inspect --raw "$1" | sha256sum; }
layers() {
	skopeo inspect --raw "$1" | python3 -c '
import json, sys
print(*[l["digest"] for l in json.load(sys.stdin)["layers"]])'
}

# again KIND SOURCE NAME WORD: SOURCE (as skopeo names it) was loaded as NAME, which prints WORD
again() {
	kind=$1 source=$2 name=$3 word=$4
	ok "$kind: runs" thimble run --rm "$name"
	is "$out" "$(want "$word")" "$kind: prints what was built"
	is "$(thimble inspect --format '{{.Id}}' "$name")" \
		"sha256:$(config "$source" | cut -d' ' -f1)" "$kind: its id is the digest of the config"
	ok "$kind: saved again" thimble save -o again.tar "$name"
	is "$(config oci-archive:again.tar)" "$(config "$source")" "$kind: the same config"
	case $source in
	oci*)
		is "$(layers oci-archive:again.tar)" "$(layers "$source")" "$kind: the same layers"
		is "$(manifest oci-archive:again.tar)" "$(manifest "$source")" "$kind: the same manifest" ;;
	esac
	ok "$kind: saved again for docker" thimble save --format docker -o again-docker.tar "$name"
	is "$(config docker-archive:again-docker.tar)" "$(config "$source")" "$kind: the same config for docker"
	case $source in
	docker*)
		is "$(layers docker-archive:again-docker.tar)" "$(layers "$source")" "$kind: the same layers" ;;
	esac
	thimble rmi "$name" >/dev/null
	thimble prune -f >/dev/null 2>&1
}

for compression in gzip zstd none; do
	set -- --compression-format "$compression"
	[ $compression != none ] || set -- --disable-compression
	rm -rf layout
	ok "buildah push, $compression" buildah push "$@" localhost/it:first oci:layout:localhost/it:first
	tar -C layout -cf layout.tar .
	ok "buildah OCI $compression: loads" thimble load -i layout.tar
	again "buildah OCI $compression" oci:layout localhost/it:first first
done
ok "podman save, docker archive" podman save -q -o d.tar localhost/it:first
ok "podman docker archive: loads" thimble load -i d.tar
again "podman docker archive" docker-archive:d.tar localhost/it:first first
ok "podman save, OCI archive" podman save -q --format oci-archive -o o.tar localhost/it:first
ok "podman OCI archive: loads" thimble load -i o.tar
again "podman OCI archive" oci-archive:o.tar localhost/it:first first
ok "podman save, OCI directory" podman save -q --format oci-dir -o od localhost/it:first
ok "podman OCI directory: loads" thimble load -i od
again "podman OCI directory" oci:od "$(thimble images -q | head -n 1)" first

ok "podman save, two images" podman save -q -m -o two.tar localhost/it:first localhost/it:second
ok "both load" thimble load -i two.tar
like "$out" 'localhost/it:first' "the first is told"
like "$out" 'localhost/it:second' "the second is told"
cp two.tar d2.tar
for n in first second; do
	ok "$n of two: runs" thimble run --rm localhost/it:$n
	is "$out" "$(want $n)" "$n of two: prints its own"
done
ok "both are saved in one archive" thimble save --format docker -o both.tar localhost/it:first localhost/it:second
for n in first second; do
	is "$(config docker-archive:both.tar:localhost/it:$n)" "$(config docker-archive:d2.tar:localhost/it:$n)" \
		"$n of two: the same config"
	thimble rmi localhost/it:$n >/dev/null
done
for n in first second; do
	ok "the $n into a layout" \
		skopeo copy -q "docker-archive:two.tar:localhost/it:$n" "oci:twos:localhost/it:$n"
done
ok "loads" thimble load -i twos
for n in first second; do
	again "$n of a layout" "oci:twos:localhost/it:$n" localhost/it:$n $n
done

# umoci changes an image: a layer that it made, by its own gzip.
rm -rf layout
skopeo copy -q docker-archive:d.tar oci:layout:first
ok "umoci unpack" umoci unpack --image layout:first bundle
rm -r bundle/rootfs/var/new
echo one >bundle/rootfs/made
mkdir bundle/rootfs/var/new
ok "umoci repack" umoci repack --image layout:localhost/it:umoci bundle
ok "umoci config" umoci config --image layout:localhost/it:umoci --config.env KEY=umoci
ok "umoci: loads" thimble load -i layout
again umoci oci:layout:localhost/it:umoci localhost/it:umoci umoci
done_testing
