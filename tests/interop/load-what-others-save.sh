#!/bin/sh
# What skopeo and buildah save is loaded by thimble, and runs.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/peers.sh"
peers_tools
skopeo() { peer skopeo --insecure-policy "$@"; }
buildah() {
	peer buildah --root "$T/buildah" --runroot "$T/buildah-run" --storage-driver overlay "$@"
}

mkdir ctx
cp "$(rootfs_tar)" ctx/base.tar
cat >ctx/Dockerfile <<'D'
FROM scratch
ADD base.tar /
RUN echo one >/made && ln /made /hard && rm /etc/group && chown 1000:50 /made && chmod 2755 /made
ENV KEY=value
WORKDIR /srv
CMD ["/bin/sh", "-c", "echo $KEY; pwd; cat /made; stat -c '%a %u %g %h' /hard; test ! -e /etc/group"]
D
want='value
/srv
one
2755 1000 50 2'
ok "buildah builds" buildah build --isolation chroot --network host --layers -t it ctx

check() { # KIND NAME
	ok "$1: loaded under its name" thimble images -q "$2"
	isnt "$out" "" "$1: it has an id"
	ok "$1: runs" thimble run --rm "$2"
	is "$out" "$want" "$1: prints what was built"
	thimble rmi "$2" >/dev/null
}
ok "buildah push, docker archive" buildah push it "docker-archive:$T/d.tar:localhost/it:docker"
ok "load a docker archive of buildah" thimble load -i "$T/d.tar"
check "buildah docker" localhost/it:docker
ok "buildah push, OCI archive" buildah push it "oci-archive:$T/o.tar:localhost/it:oci"
ok "load an OCI archive of buildah (gzip layers)" thimble load -i "$T/o.tar"
check "buildah oci" localhost/it:oci
ok "from standard input" sh -c "\"\$THIMBLE\" load <'$T/o.tar'"
check "stdin" localhost/it:oci
ok "gzip over it all" sh -c "gzip -c '$T/d.tar' | \"\$THIMBLE\" load"
check "gzip" localhost/it:docker

ok "skopeo copy to an OCI layout, zstd" skopeo copy --dest-compress --dest-compress-format zstd \
	"docker-archive:$T/d.tar" "oci:$T/zstd:localhost/it:zstd"
tar -C "$T/zstd" -cf "$T/zstd.tar" .
ok "load zstd layers" thimble load -i "$T/zstd.tar"
check "skopeo zstd" localhost/it:zstd
ok "load a layout that is a directory" thimble load -i "$T/zstd"
check "layout" localhost/it:zstd
ok "skopeo copy to a docker archive" \
	skopeo copy "oci-archive:$T/o.tar" "docker-archive:$T/s.tar:localhost/it:skopeo"
ok "load a docker archive of skopeo" thimble load -i "$T/s.tar"
check "skopeo docker" localhost/it:skopeo

printf x | dd of="$T/o.tar" bs=1 seek=200000 conv=notrunc 2>/dev/null
# In a store that has none of its layers: what is known already is not read again.
export THIMBLE_ROOT="$T/fresh"
before=$(thimble images -q)
run thimble load -i "$T/o.tar"
isnt "$status" 0 "a damaged archive is refused"
isnt "$err" "" "and it says why"
is "$(thimble images -q)" "$before" "and the store is as it was"
done_testing
