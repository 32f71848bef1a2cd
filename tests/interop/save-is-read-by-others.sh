#!/bin/sh
# What thimble saves is read by skopeo and unpacked by umoci.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/peers.sh"
peers_tools
base_image
skopeo() { peer skopeo --insecure-policy "$@"; }
umoci() { peer umoci "$@"; }

echo content >file
dockerfile <<'D'
FROM base
COPY file /srv/file
RUN ln /srv/file /srv/hard && chown 1000:50 /srv/file && chmod 4750 /srv/file && rm -r /var
ENV KEY=value
LABEL made=here
CMD ["/bin/hello"]
D
ok "built" thimble build -q -t it:one .
id=$(thimble images -q --no-trunc it:one)
like "$id" '^sha256:[0-9a-f]{64}$' "it has an id"

ok "save as an OCI archive" thimble save -o oci.tar it:one
ok "save as an OCI layout" thimble save --format oci-dir -o layout it:one
ok "save for docker" thimble save --format docker -o docker.tar it:one

for source in oci-archive:oci.tar oci:layout docker-archive:docker.tar; do
	kind=${source%%:*}
	ok "$kind: skopeo inspect" skopeo inspect "$source"
	is "$(python3 -c 'import json,sys; print(json.load(sys.stdin)["Labels"]["made"])' <"$T/out")" \
		here "$kind: skopeo sees the label"
	ok "$kind: skopeo inspect --config" skopeo inspect --config "$source"
	is "$(python3 -c 'import json,sys; print(*json.load(sys.stdin)["config"]["Cmd"])' <"$T/out")" \
		/bin/hello "$kind: skopeo sees the command"
	ok "$kind: skopeo copy to a directory" skopeo copy "$source" "dir:copy-$kind"
	ok "$kind: skopeo copy to an OCI archive" skopeo copy "$source" "oci-archive:again-$kind.tar:x"
	ok "$kind: skopeo copy to a docker archive" \
		skopeo copy "$source" "docker-archive:docker-$kind.tar:x:1"
done
# The id is the config's digest, and skopeo computes it for itself.
ok "skopeo inspect --config --raw" skopeo inspect --config --raw oci-archive:oci.tar
is "sha256:$(sha256sum <"$T/out" | cut -d' ' -f1)" "$id" "IMAGE ID is the digest of the config"

tag=$(umoci ls --layout layout | head -n 1)
isnt "$tag" "" "umoci finds a name in the layout"
ok "umoci unpack" umoci unpack --image "layout:$tag" bundle
is "$(cat bundle/rootfs/srv/hard)" content "umoci: the content"
is "$(stat -c '%a %u %g %h' bundle/rootfs/srv/file)" '4750 1000 50 2' "umoci: mode, owner, links"
ok "umoci: what RUN removed is gone" test ! -e bundle/rootfs/var
is "$(chroot bundle/rootfs /bin/hello)" 'Hello, world!' "it runs from there"
done_testing
