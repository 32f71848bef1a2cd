#!/bin/sh
# copy between the store, layouts, archives and directories, and what skopeo, umoci and podman say of
# what comes out.
. "$(dirname "$0")/../lib/tap.sh"
need_root
base_image
skopeo() { command skopeo --insecure-policy "$@"; }
field() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"; }
echo content >file
dockerfile <<'D'
FROM base
COPY file /srv/file
RUN ln /srv/file /srv/hard && chown 1000:50 /srv/file && chmod 4750 /srv/file
LABEL made=here
CMD ["/bin/hello"]
D
ok "built" thimble build -q -t it:one .
id=$(thimble images -q --no-trunc it:one)

# ---- out of the store ----
ok "store to a layout" thimble copy it:one oci:layout:one
digest=$out
like "$digest" '^sha256:[0-9a-f]{64}$' "prints the digest"
is "$(field layout/index.json 'd["manifests"][0]["digest"]')" "$digest" "which the index has"
is "$(field layout/index.json 'd["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"]')" \
	one "under its tag"
ok "skopeo inspects it" skopeo inspect oci:layout:one
is "$(field "$T/out" 'd["Digest"]')" "$digest" "and finds the same digest"
is "$(umoci ls --layout layout)" one "umoci finds the tag"
ok "umoci unpacks it" umoci unpack --image layout:one bundle
is "$(cat bundle/rootfs/srv/hard)" content "with its content"
ok "a second time" thimble copy --json it:one oci:layout:two
is "$(field "$T/out" 'd["BlobsCopied"], d["Digest"]')" "(0, '$digest')" "nothing is sent twice"
is "$(umoci ls --layout layout | sort | tr '\n' ' ')" 'one two ' "both tags are there"

# ---- files to files: byte by byte ----
ok "layout to an archive" thimble copy oci:layout:one oci-archive:a.tar:x
is "$out" "$digest" "oci-archive: the same digest"
ok "archive to a directory" thimble copy oci-archive:a.tar:x dir:d
is "$out" "$digest" "dir: the same digest"
is "sha256:$(sha256sum <d/manifest.json | cut -d' ' -f1)" "$digest" "which its manifest has"
is "$(head -n 1 d/version)" 'Directory Transport Version: 1.1' "it has skopeo's mark"
ok "directory to a layout" thimble copy dir:d oci:back:x
is "$out" "$digest" "back: the same digest"
ok "skopeo reads the archive" skopeo inspect oci-archive:a.tar:x
is "$(field "$T/out" 'd["Digest"]')" "$digest" "skopeo, oci-archive: the same digest"
ok "skopeo reads the directory" skopeo inspect dir:d
is "$(field "$T/out" 'd["Digest"]')" "$digest" "skopeo, dir: the same digest"
ok "skopeo copies the directory" skopeo copy dir:d dir:d2
ok "skopeo's copy has the same blobs" sh -c 'cd d && for f in *; do cmp "$f" "../d2/$f" || exit 1; done'
ok "thimble reads what skopeo wrote" thimble copy dir:d2 oci:from-skopeo:x
is "$out" "$digest" "from skopeo's dir: the same digest"
ok "skopeo to oci-archive" skopeo copy oci:layout:one oci-archive:sk.tar:t
ok "thimble reads skopeo's archive" thimble copy oci-archive:sk.tar:t dir:d3
is "$out" "$digest" "from skopeo's oci-archive: the same digest"
ok "the only image needs no tag" thimble copy oci-archive:sk.tar dir:d4
ok "the same bytes again" thimble copy oci:layout:one oci-archive:b.tar:x
ok "an archive is a function of what is in it" cmp a.tar b.tar
ok "over a directory that is there" thimble copy --json oci:layout:one dir:d
is "$(field "$T/out" 'd["BlobsCopied"]')" 0 "its blobs are used again"
ok "and it is whole" skopeo inspect dir:d

# ---- docker-archive ----
ok "layout to docker-archive" thimble copy oci:layout:one docker-archive:k.tar:it:docker
ok "skopeo reads it" skopeo inspect --config --raw docker-archive:k.tar
is "sha256:$(sha256sum <"$T/out" | cut -d' ' -f1)" "$id" "its id is the image's"
ok "store to docker-archive" thimble copy it:one docker-archive:k2.tar:it:docker
ok "the same bytes either way" cmp k.tar k2.tar
ok "save --format docker" sh -c '"$THIMBLE" tag it:one it:docker && "$THIMBLE" save --format docker -o k3.tar it:docker'
is "$(tar -xOf k3.tar manifest.json)" "$(tar -xOf k.tar manifest.json)" "save writes the same list"
ok "docker-archive to a layout" thimble copy docker-archive:k.tar:it:docker oci:layout:packed
is "$(field "layout/blobs/sha256/${out#sha256:}" 'd["mediaType"], d["layers"][0]["mediaType"]')" \
	"('application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.layer.v1.tar+gzip')" \
	"its layers are compressed"
ok "umoci unpacks that" umoci unpack --image layout:packed bundle2
is "$(cat bundle2/rootfs/srv/hard)" content "with its content"
ok "docker-archive to docker-archive" thimble copy docker-archive:k.tar docker-archive:k4.tar:it:docker
ok "nothing changes on the way" cmp k.tar k4.tar
ok "skopeo writes a docker-archive" skopeo copy oci:layout:one docker-archive:sk-docker.tar:x:1
ok "and thimble takes it" thimble --root "$T/s2" copy docker-archive:sk-docker.tar:x:1 x:1
is "$(thimble --root "$T/s2" images -q --no-trunc x:1)" "$id" "with the same id"
ok "podman loads it" podman --root "$T/pod" --runroot "$T/podrun" --storage-driver vfs load -i k.tar

# ---- into the store ----
for place in oci:layout:one oci-archive:a.tar dir:d docker-archive:k.tar; do
	ok "$place: into another store" thimble --root "$T/s-${place%%:*}" copy "$place" got:1
	is "$(thimble --root "$T/s-${place%%:*}" images -q --no-trunc got:1)" "$id" "$place: the same id"
	is "$(thimble --root "$T/s-${place%%:*}" run --rm got:1)" 'Hello, world!' "$place: it runs"
done
ok "out of it again" thimble --root "$T/s-oci" copy got:1 oci:out:x
is "$out" "$digest" "the digest has survived the store"
ok "store to store" thimble copy --json it:one thimble:again:1
is "$(field "$T/out" 'd["BlobsCopied"]')" 1 "only the config is written"
is "$(thimble images -q --no-trunc again:1)" "$id" "a second name"

# ---- a layout that something else has half written ----
whole() { (cd "$1/blobs/sha256" && for f in *; do echo "$f  $f"; done | sha256sum -c --quiet); }
cp -R layout half
for f in half/blobs/sha256/*; do
	head -c "$(wc -c <"$f")" /dev/zero >zeroes && cat zeroes >"$f"
done
ok "into it" thimble copy oci:layout:one oci:half:one
is "$out" "$digest" "the digest"
ok "what is there by its size only is written again" whole half
ok "once more" thimble copy --json oci:layout:one oci:half:two
is "$(field "$T/out" 'd["BlobsCopied"], d["BlobsThere"]')" '(0, 4)' "and what is there is not"

# ---- changes that are asked for ----
ok "--format docker" thimble copy --format docker oci:layout:one dir:v2
is "$(field v2/manifest.json 'd["mediaType"], d["layers"][0]["mediaType"]')" \
	"('application/vnd.docker.distribution.manifest.v2+json', 'application/vnd.docker.image.rootfs.diff.tar.gzip')" \
	"Docker's media types"
ok "skopeo reads that" skopeo inspect dir:v2
ok "--format oci, back again" thimble copy --format oci dir:v2 oci:layout:back
ok "--compression zstd" thimble copy --compression zstd oci:layout:one oci:zstd:x
ok "skopeo unpacks that" skopeo copy --dest-decompress oci:zstd:x dir:z
tar -tf k.tar | sed -n 's|/layer.tar||p' >diffs
is "$(ls z | grep -cFf diffs)" 3 "and the digests are the diff ids"
ok "--compression none" thimble copy --compression none oci:zstd:x dir:plain
is "$(field plain/manifest.json '[l["mediaType"].endswith("tar") for l in d["layers"]]')" \
	'[True, True, True]' "plain layers"
ok "--digestfile" thimble copy -q --digestfile digest.txt oci:layout:one dir:df
is "$out" '' "--quiet prints nothing"
is "$(cat digest.txt)" "$digest" "the digest is in the file"
fails 1 "--preserve-digests and another type" thimble copy --preserve-digests --format docker oci:layout:one dir:no
like "$err" 'digests cannot be preserved' "says so"
ok "there is no directory then" test ! -e no
fails 1 "--preserve-digests into a docker-archive" thimble copy --preserve-digests oci:layout:one docker-archive:no.tar:x
like "$err" "an archive of docker's has no manifests" "says why"
like "$err" "try +leave --preserve-digests away, or copy 'oci:layout:one' to a place of another kind" "and what to do"
ok "there is no file then" test ! -e no.tar
fails 1 "--preserve-digests out of one" thimble copy --preserve-digests docker-archive:k.tar dir:no
like "$err" "an archive of docker's has no manifests" "says why"
fails 1 "--preserve-digests and another compression" thimble copy --preserve-digests --compression zstd oci:layout:one dir:no
like "$err" 'digests cannot be preserved: layers would have to be compressed anew' "says why"
ok "there is no directory then either" test ! -e no
stored=$(thimble inspect -f '{{.Descriptor.digest}}' it:one)
ok "--preserve-digests out of the store" thimble copy --preserve-digests it:one oci:stored:x
is "$out" "$stored" "the store's own digest"

printf 'FROM this\nCOPY file /f\n' >Dockerfile.rootfs
ok "an image on this machine's files" thimble build -q --build-context this=rootfs:/ -t rootfs:1 -f Dockerfile.rootfs .
fails 1 "stays here" thimble copy rootfs:1 oci:rootfs:1
like "$err" 'rootfs.export' "says how it may leave"
ok "--allow" thimble copy --allow rootfs.export rootfs:1 oci:rootfs:1
ok "a second name in the store needs no leave" thimble copy rootfs:1 rootfs:2

# ---- what cannot be ----
fails 1 "no such tag" thimble copy oci:layout:nope dir:no
like "$err" 'it has: one, two' "the tags are listed"
fails 1 "several and none named" thimble copy oci:layout dir:no
fails 1 "unknown prefix" thimble copy docker-daemon:x:1 dir:no
like "$err" 'known are docker://REF, oci:DIR' "the known ones are listed"
fails 1 "a path is no name" thimble copy ./layout dir:no
like "$err" 'write oci:' "a hint says what to write"
fails 1 "a name that is a directory" thimble copy layout dir:no
like "$err" 'write oci:layout' "here too"
fails 1 "into a directory with other things" thimble copy oci:layout:one dir:bundle
fails 2 "--all with --platform" thimble copy --all it:one dir:no --platform linux/arm64
fails 1 "another platform" thimble copy --platform linux/s390x oci:layout:one dir:no
like "$err" 'for no other platform' "says which it is for"
printf x >>"layout/blobs/sha256/$(field "layout/blobs/sha256/${digest#sha256:}" 'd["layers"][2]["digest"][7:]')"
fails 1 "a damaged layer" thimble copy oci:layout:one dir:no
like "$err" 'bytes|digest' "is found"
ok "nothing is left of it" sh -c '! ls -d no .thimble-* 2>/dev/null'
done_testing
