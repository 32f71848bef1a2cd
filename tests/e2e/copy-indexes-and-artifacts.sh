#!/bin/sh
# copy of what is more than one plain image: indexes, attestations, artifacts; and what is refused.
. "$(dirname "$0")/../lib/tap.sh"
skopeo() { command skopeo --insecure-policy "$@"; }
field() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"; }
"$tests/lib/make-layout" src || { echo "Bail out! no layout"; exit 1; }
digest() { field src/index.json "[m['digest'] for m in d['manifests'] if m['annotations']['org.opencontainers.image.ref.name']=='$1'][0]"; }
sha() { echo "sha256:$(sha256sum <"$1" | cut -d' ' -f1)"; }

# ---- one of an index ----
ok "of an index one image" thimble copy --platform linux/arm64 oci:src:multi dir:one
is "$out" "$(digest arm64)" "the one for the platform, with its digest"
is "$(find one -type f | wc -l)" 5 "version, manifest, config and two layers, nothing else"
fails 1 "none for this platform" thimble copy --platform linux/s390x oci:src:multi dir:no
like "$err" 'it has: linux/amd64, linux/arm64;' "the platforms are listed"
ok "through an index in an index" thimble copy --platform linux/amd64 oci:src:nested dir:deep
is "$out" "$(digest amd64)" "the same image"
ok "into the store" thimble copy --platform linux/arm64 oci:src:multi arm:1
is "$(thimble inspect -f '{{.Descriptor.digest}} {{.Architecture}}' arm:1)" "$(digest arm64) arm64" \
	"the manifest as it was"

# ---- all of it ----
for tag in multi list nested; do
	ok "$tag: --all to a layout" thimble copy --all "oci:src:$tag" "oci:all:$tag"
	is "$out" "$(digest $tag)" "$tag: the same digest"
	ok "$tag: --all to an archive" thimble copy --all "oci:all:$tag" "oci-archive:$tag.tar:$tag"
	is "$out" "$(digest $tag)" "$tag: the same digest there"
	ok "$tag: --all --preserve-digests back" thimble copy --all --preserve-digests "oci-archive:$tag.tar:$tag" "oci:back-$tag:x"
	is "$out" "$(digest $tag)" "$tag: the same digest again"
done
ok "every blob is there" sh -c 'for f in back-multi/blobs/sha256/*; do cmp "$f" "src/blobs/sha256/${f##*/}" || exit 1; done'
is "$(find back-multi/blobs/sha256 -type f | wc -l)" 11 "and none too much"
ok "--all to dir:" thimble copy --all oci:src:list dir:list
is "$(sha list/manifest.json)" "$(digest list)" "the list is its manifest"
ok "skopeo copies that" skopeo copy --all dir:list dir:list2
ok "all of it" sh -c 'cd list && for f in *; do cmp "$f" "../list2/$f" || exit 1; done; test $(ls | wc -l) = $(ls ../list2 | wc -l)'
ok "thimble reads what skopeo wrote" thimble copy --all dir:list2 oci:from-skopeo:x
is "$out" "$(digest list)" "the same digest"
ok "skopeo reads our layout with all" skopeo copy --all oci:all:multi dir:sk2
is "$(sha sk2/manifest.json)" "$(digest multi)" "and keeps the digest"

# ---- other types ----
ok "--all --format oci" thimble copy --all --format oci oci:src:list dir:as-oci
is "$(field as-oci/manifest.json 'd["mediaType"], [m["mediaType"] for m in d["manifests"]]')" \
	"('application/vnd.oci.image.index.v1+json', ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.manifest.v1+json'])" \
	"an index of OCI's manifests"
is "$(field as-oci/manifest.json '[m["platform"]["architecture"] for m in d["manifests"]]')" "['amd64', 'arm64']" "with its platforms"
ok "skopeo follows it" skopeo inspect --raw dir:as-oci
ok "skopeo copies all of it" skopeo copy --all dir:as-oci oci:as-oci-2:x
ok "--all --format docker, with an attestation" thimble copy --all --format docker oci:src:multi dir:as-docker
is "$(field as-docker/manifest.json 'd["mediaType"], [m["mediaType"].split(".")[1] for m in d["manifests"]]')" \
	"('application/vnd.docker.distribution.manifest.list.v2+json', ['docker', 'docker', 'oci'])" \
	"a list; the attestation stays what it is"
ok "--all --compression zstd" thimble copy --all --compression zstd oci:src:multi oci:zstd:x
ok "a layer that both have is the same" thimble copy --all --compression zstd oci:src:multi oci:zstd2:x
is "$(field zstd/index.json 'd["manifests"][0]["digest"]')" "$(field zstd2/index.json 'd["manifests"][0]["digest"]')" \
	"compressed twice it has the same digest"
fails 1 "--preserve-digests --format docker" thimble copy --all --preserve-digests --format docker oci:src:multi dir:no

# ---- many times the same ----
# 300 times an index that names 300 times an index that names 300 times an image.
python3 - many <<'P'
import hashlib, json, os, sys
blobs = sys.argv[1] + '/blobs/sha256'
os.makedirs(blobs)
def put(value, kind):
    text = json.dumps(value).encode()
    name = hashlib.sha256(text).hexdigest()
    open(f'{blobs}/{name}', 'wb').write(text)
    return {'mediaType': f'application/vnd.oci.image.{kind}.v1+json', 'digest': f'sha256:{name}', 'size': len(text)}
config = put({'architecture': 'amd64', 'os': 'linux', 'rootfs': {'type': 'layers', 'diff_ids': []}}, 'config')
at = put({'schemaVersion': 2, 'config': config, 'layers': []}, 'manifest')
wide = put({'schemaVersion': 2, 'manifests': [at] * 10001}, 'index')
for _ in range(3):
    at = put({'schemaVersion': 2, 'manifests': [at] * 300}, 'index')
def tag(name, d):
    return {**d, 'annotations': {'org.opencontainers.image.ref.name': name}}
json.dump({'schemaVersion': 2, 'manifests': [tag('deep', at), tag('wide', wide)]}, open(sys.argv[1] + '/index.json', 'w'))
open(sys.argv[1] + '/oci-layout', 'w').write('{"imageLayoutVersion":"1.0.0"}')
P
ok "an image that is named 27 million times" timeout 60 "$THIMBLE" copy --all --json oci:many:deep dir:many2
is "$(field "$T/out" 'd["Manifests"]')" 4 "is copied once"
fails 1 "more images than any index has" thimble copy --all oci:many:wide dir:many3
like "$err" 'more than 10000 images' "says so"

# ---- artifacts ----
for tag in artifact old-artifact; do
	ok "$tag: to a layout" thimble copy "oci:src:$tag" "oci:art:$tag"
	is "$out" "$(digest $tag)" "$tag: the same digest"
	ok "$tag: to an archive" thimble copy "oci:art:$tag" "oci-archive:$tag.tar:x"
	ok "$tag: to a directory" thimble copy "oci-archive:$tag.tar:x" "dir:art-$tag"
	is "$(sha "art-$tag/manifest.json")" "$(digest $tag)" "$tag: the same digest there"
	fails 1 "$tag: to the store" thimble copy "oci:src:$tag" art:1
	like "$err" 'no image but an artifact' "$tag: says why"
	fails 1 "$tag: to a docker-archive" thimble copy "oci:src:$tag" docker-archive:no.tar:x:1
done
like "$err" 'application/x-thing.config' "the kind is named"
fails 1 "an artifact in Docker's types" thimble copy --format docker oci:src:artifact dir:no

# ---- what is refused ----
fails 1 "an index into the store" thimble copy --all oci:src:multi multi:1
like "$err" 'one platform, not an index' "says why"
fails 1 "an index into a docker-archive" thimble copy --all oci:src:multi docker-archive:no.tar:x:1
fails 1 "a foreign layer" thimble copy oci:src:foreign dir:no
like "$err" 'foreign layer .*far\.example\.com' "the host that has it is named"
for to in dir:no oci:no-l:x oci-archive:no.tar:x docker-archive:no.tar:x:1 no:1; do
	fails 1 "a layer that lies, to $to" thimble copy oci:src:liar "$to"
	like "$err" 'digest sha256|inflate|gzip' "$to: is found"
done
ok "nothing has a name" sh -c '! ls -d no no.tar .thimble-* 2>/dev/null && test -z "$(find no-l -name index.json)"'
is "$(thimble images -q)" "$(thimble images -q arm)" "nor in the store"
ok "one layer twice" thimble copy oci:src:twice docker-archive:twice.tar:t:1
is "$(tar -tf twice.tar | grep -c layer.tar)" 1 "is written once"
ok "and read twice" thimble copy docker-archive:twice.tar oci:twice:x
ok "skopeo agrees" skopeo copy docker-archive:twice.tar dir:twice-d
done_testing
