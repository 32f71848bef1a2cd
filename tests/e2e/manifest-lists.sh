#!/bin/sh
# manifest create, annotate, inspect, push, rm: lists of images of the store and of registries.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
skopeo() { command skopeo --insecure-policy "$@"; }
field() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"; }
"$tests/lib/make-layout" src || { echo "Bail out! no layout"; exit 1; }
digest() { field src/index.json "[m['digest'] for m in d['manifests'] if m['annotations']['org.opencontainers.image.ref.name']=='$1'][0]"; }
base_image
registry plain
R=$host
thimble copy -q --platform linux/amd64 oci:src:multi app:amd64
thimble copy -q oci:src:arm64 "docker://$R/other/app:arm64"

# ---- create, inspect, annotate ----
ok "create" thimble manifest create app:1 app:amd64 "docker://$R/other/app:arm64"
is "$out" 'Created manifest list docker.io/library/app:1' "docker's words"
ok "inspect" thimble manifest inspect app:1
is "$(field "$T/out" 'd["mediaType"], [(m["digest"], m["platform"]["architecture"]) for m in d["manifests"]]')" \
	"('application/vnd.oci.image.index.v1+json', [('$(digest amd64)', 'amd64'), ('$(digest arm64)', 'arm64')])" "both are in it"
ok "inspect -v" thimble manifest inspect -v app:1
is "$(field "$T/out" '[(m["Descriptor"]["digest"], m["OCIManifest"]["schemaVersion"]) for m in d]')" \
	"[('$(digest amd64)', 2), ('$(digest arm64)', 2)]" "with their manifests"
fails 1 "create again" thimble manifest create app:1 base
like "$err" '\-\-amend adds to it' "says how to add"
ok "--amend" thimble manifest create --amend app:1 base
is "$(thimble manifest inspect app:1 | grep -c '"digest"')" 3 "a third one"
ok "annotate" thimble manifest annotate --os linux --arch arm --variant v7 --os-version 1 --annotation made=here app:1 base
ok "inspect --json" thimble manifest inspect --json app:1
is "$(field "$T/out" 'd["manifests"][2]["platform"], d["manifests"][2]["annotations"]')" \
	"({'architecture': 'arm', 'os': 'linux', 'os.version': '1', 'variant': 'v7'}, {'made': 'here'})" "is written down"
fails 1 "annotate what is not in it" thimble manifest annotate --arch arm app:1 nope
like "$err" 'it has: app:amd64, docker://' "those in it are listed"
fails 1 "of a list that is not there" thimble manifest annotate --arch arm app:2 base
like "$err" 'there are: app:1' "the lists are listed"
is "$(thimble images --format '{{.Repository}}:{{.Tag}}' | sort | tr '\n' ' ')" 'app:amd64 base:latest ' "a list is no image"

# ---- it holds what it needs ----
ok "the image goes" thimble rmi app:amd64
ok "prune all" thimble prune -a -f
ok "what the list speaks of is still there" thimble manifest inspect -v app:1
ok "push" thimble manifest push app:1 "$R/app:1"
pushed=$out
is "$(skopeo inspect --tls-verify=false --raw "docker://$R/app:1" | sha256sum | cut -d' ' -f1)" "${pushed#sha256:}" "the digest that is printed"
ok "skopeo copies all of it" skopeo copy --all --src-tls-verify=false "docker://$R/app:1" dir:all
is "$(field all/manifest.json '[m["platform"].get("variant", m["platform"]["architecture"]) for m in d["manifests"]]')" \
	"['amd64', 'arm64', 'v7']" "three platforms"
is "$(field all/manifest.json '[m["digest"] for m in d["manifests"]][:2]')" "['$(digest amd64)', '$(digest arm64)']" "unchanged manifests"
ok "a machine of one finds it" thimble --root "$T/s2" copy --platform linux/arm64 "docker://$R/app:1" got:1
is "$(thimble --root "$T/s2" inspect -f '{{.Descriptor.digest}}' got:1)" "$(digest arm64)" "the right one"
ok "push again" thimble manifest push --all --json app:1 "$R/app:1"
is "$(field "$T/out" 'd["Digest"], d["BlobsCopied"]')" "('$pushed', 0)" "nothing is sent twice"
ok "to a layout" thimble manifest push app:1 oci:out:x
is "$out" "$pushed" "the same digest"
ok "--format docker" thimble manifest push -q --format docker app:1 "$R/app:docker"
is "$out" '' "--quiet prints nothing"
ok "manifest inspect of a registry" thimble manifest inspect "$R/app:docker"
is "$(field "$T/out" 'd["mediaType"], d["manifests"][0]["mediaType"]')" \
	"('application/vnd.docker.distribution.manifest.list.v2+json', 'application/vnd.docker.distribution.manifest.v2+json')" "is Docker's"
ok "manifest inspect -v of one image" thimble manifest inspect -v "$R/other/app:arm64"
is "$(field "$T/out" 'd["Ref"], d["Descriptor"]["platform"]["architecture"]')" "('$R/other/app:arm64', 'arm64')" "an object"
fails 1 "into the store" thimble manifest push app:1 docker-archive:x.tar:x:1
fails 1 "without a registry" thimble manifest push app:2
ok "a list of a list" thimble manifest create -q again:1 "$R/app:1"
is "$(thimble manifest inspect again:1 | grep -c '"digest"')" 3 "is all that is in it"
ok "under its own name, and away" sh -c '"$THIMBLE" manifest create -q "$1/own:1" "$1/app:1" && "$THIMBLE" manifest push -p "$1/own:1"' sh "$R"
ok "is there" skopeo inspect --tls-verify=false --raw "docker://$R/own:1"
fails 1 "and no list any more" thimble manifest rm "$R/own:1"
ok "rm" thimble manifest rm app:1 again:1
ok "prune" thimble prune -a -f
is "$(thimble manifest inspect app:1 2>&1 | grep -c digest)" 0 "is gone"
is "$(find "$THIMBLE_ROOT/blobs" "$THIMBLE_ROOT/snapshots" -mindepth 2 -maxdepth 2 | wc -l)" 0 "with all that it held"

# ---- what is no image ----
echo notes >notes
artifact=$(thimble attach --artifact-type text/notes "docker://$R/other/app:arm64" notes)
ok "an artifact in a list" thimble manifest create a:1 "docker://$R/other/app@$artifact"
fails 2 "half a platform" thimble manifest annotate --variant v8 a:1 "$artifact"
like "$err" 'a platform has --os and --arch' "is refused"
# put TAG TYPE DIGEST SIZE: an index of one such thing, for no known platform
put() {
	printf '{"schemaVersion":2,"mediaType":"%s","manifests":[{"mediaType":"%s","digest":"%s","size":%s,"platform":%s}]}' \
		application/vnd.oci.image.index.v1+json "$2" "$3" "$4" '{"os":"unknown","architecture":"unknown"}' |
		curl -sf -T - -H 'Content-Type: application/vnd.oci.image.index.v1+json' "http://$R/v2/other/app/manifests/$1"
}
thimble copy -q --all "docker://$R/app:1" "docker://$R/other/app:index" || echo "Bail out! no copy"
ok "an index of an index" put nested application/vnd.oci.image.index.v1+json "$pushed" \
	"$(skopeo inspect --tls-verify=false --raw "docker://$R/app:1" | wc -c)"
fails 1 "in a list" thimble manifest create n:1 "$R/other/app:nested"
like "$err" "is an index that names 'application/vnd.oci.image.index.v1\+json', not images" "is refused"
ok "an index of what is for no platform" put none application/vnd.oci.image.manifest.v1+json "$(digest arm64)" \
	"$(skopeo inspect --tls-verify=false --raw "docker://$R/other/app:arm64" | wc -c)"
fails 1 "is nothing to pull" thimble pull "$R/other/app:none"
like "$err" 'its index names no platforms' "says why"
ok "a whole one" thimble manifest annotate --os linux --arch arm64 --variant v8 a:1 "$artifact"

# ---- this machine's own files ----
mkdir ctx && echo x >ctx/file && printf 'FROM this\nCOPY file /f\n' >ctx/Dockerfile
ok "an image on this machine's files" thimble build -q --build-context this=rootfs:/ -t rootfs:1 ctx
ok "is listed" thimble manifest create -q r:1 rootfs:1
fails 1 "stays here" thimble manifest push r:1 oci:r:1
ok "--allow" thimble manifest push --allow rootfs.export r:1 oci:r:1

# ---- with credentials ----
tls
registry safe tls basic
mkdir certs && cp "$ca" certs/ca.crt
printf '{"auths":{"%s":{"auth":"%s"}}}' "$host" "$(printf 'alice:%s' "$alice" | base64)" >auth.json
chmod 600 auth.json
thimble copy -q oci:src:amd64 app:amd64
ok "push --cacert --creds" sh -c '"$THIMBLE" manifest create -q x:1 app:amd64 && "$THIMBLE" manifest push --cacert "$1" --creds "$2" x:1 "$3/x:1"' sh "$ca" "alice:$alice" "$host"
ok "push --cert-dir --authfile" thimble manifest push --cert-dir certs --authfile auth.json x:1 "$host/x:1"
ok "push --insecure" thimble manifest push --insecure --authfile auth.json x:1 "$host/x:1"
ok "push --tls-verify" thimble manifest push --tls-verify=false --authfile auth.json x:1 "$host/x:1"
ok "create --cacert --creds" thimble manifest create --cacert "$ca" --creds "alice:$alice" y:1 "$host/x:1"
ok "create --cert-dir --authfile" thimble manifest create -q --cert-dir certs --authfile auth.json y:2 "$host/x:1"
ok "create --insecure" thimble manifest create -q --insecure --authfile auth.json y:3 "$host/x:1"
ok "create --tls-verify" thimble manifest create -q --tls-verify=false --authfile auth.json y:4 "$host/x:1"
ok "inspect --cacert --creds" thimble manifest inspect --cacert "$ca" --creds "alice:$alice" "$host/x:1"
ok "inspect --cert-dir --authfile" thimble manifest inspect --cert-dir certs --authfile auth.json "$host/x:1"
ok "inspect --insecure" thimble manifest inspect --insecure --authfile auth.json "$host/x:1"
ok "inspect --tls-verify" thimble manifest inspect --tls-verify=false --authfile auth.json "$host/x:1"
fails 2 "manifest alone" thimble manifest
like "$err" 'annotate, create, inspect, push, rm' "its words are listed"
done_testing
