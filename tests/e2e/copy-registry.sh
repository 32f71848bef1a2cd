#!/bin/sh
# copy to, from and between registries; skopeo, podman and digests are the judges.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
base_image
skopeo() { command skopeo --insecure-policy "$@"; }
field() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"; }
"$tests/lib/make-layout" src || { echo "Bail out! no layout"; exit 1; }
digest() { field src/index.json "[m['digest'] for m in d['manifests'] if m['annotations']['org.opencontainers.image.ref.name']=='$1'][0]"; }
remote() { skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$1"; }
registry plain
R=$host

# ---- the store and a registry ----
ok "store to registry" thimble copy base "docker://$R/base:1"
first=$out
is "$(remote "$R/base:1")" "$first" "skopeo sees the digest that was printed"
like "$(thimble inspect -f '{{.RepoDigests}}' base)" "$R/base@$first" "the store knows where it went"
ok "a second time" thimble copy --json base "docker://$R/base:2"
is "$(field "$T/out" 'd["BlobsCopied"], d["BlobsThere"], d["Digest"]')" "(0, 2, '$first')" "no blob is sent again"
ok "registry to store" thimble --root "$T/s2" copy "docker://$R/base:1" back:1
is "$(thimble --root "$T/s2" images -q --no-trunc back:1)" "$(thimble images -q --no-trunc base)" "the same id"
is "$(thimble --root "$T/s2" run --rm back:1 hello)" 'Hello, world!' "it runs"
like "$(thimble --root "$T/s2" inspect -f '{{.RepoDigests}}' back:1)" "$R/base@$first" "and knows where it comes from"
ok "and on to a layout" thimble --root "$T/s2" copy back:1 oci:back:1
is "$out" "$first" "with the digest of the registry"
# Layers of our own are here by their diff ids: a pull does not bring them as the registry has them.
ok "what we sent, pulled" thimble pull -q "$R/base:1"
fails 1 "--preserve-digests without the blobs" thimble copy --preserve-digests "$R/base:1" oci:kept:1
like "$err" "leave --preserve-digests away, or copy it from where it was: docker://$R/base@$first" "says what to do"
ok "which helps" thimble copy --preserve-digests "docker://$R/base@$first" oci:kept:1
is "$out" "$first" "with the digest of the registry"

# ---- everything to a registry and back ----
for tag in amd64 multi list nested artifact old-artifact; do
	ok "$tag: layout to registry" thimble copy --all "oci:src:$tag" "docker://$R/all:$tag"
	is "$out" "$(digest $tag)" "$tag: the same digest"
	ok "$tag: registry to layout" thimble copy --all "docker://$R/all:$tag" "oci:there:$tag"
	is "$out" "$(digest $tag)" "$tag: the same digest again"
done
ok "every blob has come back" sh -c 'for f in there/blobs/sha256/*; do cmp "$f" "src/blobs/sha256/${f##*/}" || exit 1; done'
ok "skopeo copies all that we pushed" skopeo copy --all --src-tls-verify=false "docker://$R/all:list" dir:sk
is "sha256:$(sha256sum <sk/manifest.json | cut -d' ' -f1)" "$(digest list)" "and has the digest"
ok "skopeo pushes all" skopeo copy --all --dest-tls-verify=false dir:sk "docker://$R/from-skopeo:list"
ok "and thimble copies that" thimble copy --all "docker://$R/from-skopeo:list" dir:from-skopeo
is "$out" "$(digest list)" "the same digest"
ok "one of them" thimble copy --platform linux/arm64 "docker://$R/all:multi" dir:arm
is "$out" "$(digest arm64)" "is the one for the platform"
ok "by digest" thimble copy "docker://$R/all@$(digest arm64)" dir:arm2
is "$out" "$(digest arm64)" "is that one"
ok "to a digest" thimble copy oci:src:amd64 "docker://$R/by-digest@$(digest amd64)"
ok "is found there" skopeo inspect --tls-verify=false --raw "docker://$R/by-digest@$(digest amd64)"
fails 1 "to another digest" thimble copy oci:src:amd64 "docker://$R/by-digest@$(digest arm64)"
like "$err" 'not the one that was named' "says so"
ok "from docker-archive" sh -c '"$THIMBLE" copy oci:src:amd64 docker-archive:k.tar:k:1 && "$THIMBLE" copy docker-archive:k.tar "docker://$1/k:1"' sh "$R"
ok "skopeo reads it" skopeo inspect --raw --tls-verify=false "docker://$R/k:1"
is "$(field "$T/out" 'd["mediaType"], d["layers"][0]["mediaType"]')" \
	"('application/vnd.docker.distribution.manifest.v2+json', 'application/vnd.docker.image.rootfs.diff.tar.gzip')" \
	"Docker's types, compressed layers"
ok "--format oci" thimble copy --format oci "docker://$R/k:1" "docker://$R/k:oci"
ok "--compression zstd --compression-level 5" thimble copy --compression zstd --compression-level 5 "docker://$R/all:amd64" "docker://$R/all:zstd"
ok "skopeo reads that" skopeo copy --src-tls-verify=false "docker://$R/all:zstd" dir:zstd
fails 1 "a layer that lies" thimble copy oci:src:liar "docker://$R/liar:1"
fails 1 "has no tag there" skopeo inspect --tls-verify=false "docker://$R/liar:1"
fails 1 "what is not there" thimble copy "docker://$R/all:nope" dir:no
ok "nothing has a name" test ! -e no

# ---- mounts, and two registries ----
oci_registry second
S=$host
ok "to another repository of it" thimble copy --all --json "docker://$R/all:multi" "docker://$R/other/all:1"
is "$(field "$T/out" 'd["BlobsCopied"], d["BlobsMounted"]')" "(0, 7)" "all blobs are mounted"
ok "to another registry" thimble copy --all --json "docker://$R/all:multi" "docker://$S/all:1"
is "$(field "$T/out" 'd["BlobsCopied"], d["Digest"]')" "(7, '$(digest multi)')" "all blobs are sent, each once"
ok "and back" thimble copy --all "docker://$S/all:1" dir:second
ok "byte by byte" sh -c 'for f in second/[0-9a-f]*; do n=${f##*/}; cmp "$f" "src/blobs/sha256/${n%%.*}" || exit 1; done'
ok "an artifact with a subject, where referrers are kept" thimble copy oci:src:artifact "docker://$S/all:art"
ok "skopeo has no say in that, but the tag" skopeo inspect --raw --tls-verify=false "docker://$S/all:art"
fails 1 "no tag is made where there is an API" skopeo inspect --raw --tls-verify=false "docker://$S/all:sha256-$(digest amd64 | cut -d: -f2)"
ok "where there is none" skopeo inspect --raw --tls-verify=false "docker://$R/all:sha256-$(digest amd64 | cut -d: -f2)"
is "$(field "$T/out" '[(m["digest"], m["artifactType"]) for m in d["manifests"]]')" \
	"[('$(digest artifact)', 'text/x-report')]" "the tag lists the artifact"

# ---- who and how ----
tls
registry safe tls basic
B=$host
fails 1 "an authority that is not known" thimble copy oci:src:amd64 "docker://$B/x:1"
like "$err" 'certificate' "says so"
fails 1 "without credentials" thimble copy --cacert "$ca" oci:src:amd64 "docker://$B/x:1"
like "$err" 'thimble login' "says what to do"
ok "--dest-creds" thimble copy --cacert "$ca" --dest-creds "alice:$alice" oci:src:amd64 "docker://$B/x:1"
ok "--src-creds" thimble copy --cacert "$ca" --src-creds "bob:$bob" "docker://$B/x:1" dir:x1
ok "--creds, --dest-tls-verify" thimble copy --creds "alice:$alice" --dest-tls-verify=false oci:src:arm64 "docker://$B/x:2"
ok "--src-tls-verify" thimble copy --creds "alice:$alice" --src-tls-verify=false "docker://$B/x:2" "docker://$R/x:2"
mkdir certs && cp "$ca" certs/ca.crt
printf '{"auths":{"%s":{"auth":"%s"}}}' "$B" "$(printf 'alice:%s' "$alice" | base64)" >auth.json
chmod 600 auth.json
ok "--src-authfile, --src-cert-dir" thimble copy --src-authfile auth.json --src-cert-dir certs "docker://$B/x:1" dir:x2
ok "--dest-authfile, --dest-cert-dir" thimble copy --dest-authfile auth.json --dest-cert-dir certs dir:x2 "docker://$B/x:3"
ok "--authfile, --cert-dir" thimble copy --authfile auth.json --cert-dir certs "docker://$B/x:1" dir:x4
ok "--insecure" thimble copy --authfile auth.json --insecure "docker://$B/x:1" dir:x5
ok "--tls-verify" thimble copy --authfile auth.json --tls-verify=false "docker://$B/x:1" dir:x6
fails 2 "a level that is too high" thimble copy --compression gzip --compression-level 13 oci:src:amd64 dir:no
fails 1 "a wrong password" thimble copy --cacert "$ca" --dest-creds alice:no oci:src:amd64 "docker://$B/x:4"
unlike "$err" "$alice|alice:no" "no password is printed"

# ---- a connection that breaks ----
faults proxy "$R"
rules proxy 'GET /blobs/ 1 cut after=50' 'PUT /blobs/ 1 cut'
ok "read through a connection that breaks" thimble copy "docker://$host/all:amd64" dir:broken
is "$out" "$(digest amd64)" "is whole"
ok "written through one" thimble copy oci:src:arm64 "docker://$host/broken:1"
is "$(remote "$R/broken:1")" "$(digest arm64)" "is whole too"
rules proxy 'GET /blobs/ * corrupt'
fails 1 "bytes that are changed on the way" thimble copy "docker://$host/all:amd64" dir:corrupt
ok "leave nothing" sh -c '! ls -d corrupt .thimble-* 2>/dev/null'

# ---- ^C ----
# dash starts background jobs with SIGINT ignored; python takes that back.
interrupted() { # COMMAND...: ^C once the connection broke and the next one stalls
	python3 -c 'import os,signal,sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])' \
		"$THIMBLE" "$@" >"$T/out" 2>"$T/err" &
	copy_pid=$!
	for _ in $(seq 400); do
		[ "$(count proxy '1 cut')" = 0 ] || break
		sleep 0.05
	done
	sleep 0.5
	kill -INT $copy_pid
	wait $copy_pid
	status=$?
}
for to in dir:cut oci-archive:cut.tar docker-archive:cut.tar:x:1 oci:cutl:x cut:1; do
	rules proxy 'GET /blobs/ 1 cut after=20' 'GET /blobs/ 2- stall after=5 s=60'
	interrupted copy "docker://$host/all:amd64" "$to"
	is "$status" 130 "$to: ^C ends it"
done
ok "nothing half made is left" sh -c '! ls -d cut cut.tar .thimble-* 2>/dev/null && test ! -e cutl/index.json'
is "$(thimble images -q cut)" '' "nor in the store"
rules proxy '# none'
ok "and it can be done again" thimble copy "docker://$host/all:amd64" oci:cutl:x
is "$out" "$(digest amd64)" "whole"
done_testing
