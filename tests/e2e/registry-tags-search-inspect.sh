#!/bin/sh
# tags, search, inspect --remote: what a registry tells without anything being pulled.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
skopeo() { command skopeo --insecure-policy "$@"; }
field() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"; }
"$tests/lib/make-layout" src || { echo "Bail out! no layout"; exit 1; }
digest() { field src/index.json "[m['digest'] for m in d['manifests'] if m['annotations']['org.opencontainers.image.ref.name']=='$1'][0]"; }
registry plain
R=$host
for tag in amd64 multi artifact; do
	thimble copy -q --all "oci:src:$tag" "docker://$R/team/app:$tag"
done
thimble copy -q oci:src:amd64 "docker://$R/team/tool:1"

# ---- tags ----
ok "tags" thimble tags "$R/team/app"
tag=sha256-$(digest amd64 | cut -d: -f2)
is "$(echo "$out" | tr '\n' ' ')" "amd64 artifact multi $tag " "one a line, sorted; one lists the artifact"
ok "tags --json" thimble tags --json "docker://$R/team/app"
is "$(field "$T/out" 'd["Repository"], d["Tags"]')" "('$R/team/app', ['amd64', 'artifact', 'multi', '$tag'])" "a JSON object"
fails 2 "with a tag" thimble tags "$R/team/app:multi"
fails 1 "of a repository that is not there" thimble tags "$R/nope"
like "$err" 'nope' "it is named"
oci_registry pages --page 2
P=$host
for tag in a b c d e; do thimble copy -q oci:src:amd64 "docker://$P/many:$tag"; done
is "$(thimble tags "$P/many" | tr '\n' ' ')" 'a b c d e ' "tags that come in pages"

# ---- search ----
ok "search a catalogue" thimble search "$R/APP"
is "$(sed -n 1p "$T/out" | tr -s ' ')" 'NAME DESCRIPTION STARS OFFICIAL' "docker's head"
is "$(sed 1d "$T/out" | tr -s ' ')" "$R/team/app 0 " "what holds the word, in any case"
is "$(thimble search --format '{{.Name}}' "$R/" | tr '\n' ' ')" "$R/team/app $R/team/tool " "HOST/ lists all"
is "$(thimble search --limit 1 --format '{{.Name}}' "$R/" | wc -l)" 1 "--limit"
ok "search --json" thimble search --json "$R/tool"
is "$(field "$T/out" '[(r["Name"], r["StarCount"], r["IsOfficial"]) for r in d]')" "[('$R/team/tool', 0, False)]" "an array"
is "$(thimble search --no-trunc --filter stars=1 "$R/" | wc -l)" 1 "--filter stars=1 leaves the head"
fails 2 "a filter that is not known" thimble search --filter colour=red "$R/"
fails 2 "too many" thimble search --limit 101 "$R/"
ok "nothing found" thimble search "$R/zzz"
is "$(wc -l <"$T/out")" 1 "is no error"

# ---- inspect --remote ----
ok "inspect --remote" thimble inspect --remote --platform linux/arm64 "$R/team/app:multi"
is "$(field "$T/out" 'd[0]["RepoTags"], d[0]["RepoDigests"], d[0]["Architecture"], d[0]["Platforms"]')" \
	"(['$R/team/app:multi'], ['$R/team/app@$(digest multi)'], 'arm64', ['linux/amd64', 'linux/arm64'])" "what it is"
is "$(field "$T/out" 'd[0]["Descriptor"]["digest"], len(d[0]["Layers"]), len(d[0]["RootFS"]["Layers"])')" \
	"('$(digest arm64)', 2, 2)" "of the one for the platform"
is "$(field "$T/out" 'd[0]["CompressedSize"] == sum(l["size"] for l in d[0]["Layers"])')" True "the size on the wire"
is "$(thimble inspect --remote -f '{{.Config.Cmd}}' "$R/team/tool:1")" '[/file0]' "a template"
cat >wrap.py <<'P'
import hashlib, json, sys
# wrap.py TAG NEW: an index of OCI's whose only entry is TAG, under the name NEW
entries = json.load(open('src/index.json'))
name = 'org.opencontainers.image.ref.name'
inner = dict(next(m for m in entries['manifests'] if m['annotations'][name] == sys.argv[1]))
del inner['annotations']
kind = 'application/vnd.oci.image.index.v1+json'
text = json.dumps({'schemaVersion': 2, 'mediaType': kind, 'manifests': [inner]}).encode()
digest = hashlib.sha256(text).hexdigest()
open('src/blobs/sha256/' + digest, 'wb').write(text)
entries['manifests'].append({'mediaType': kind, 'digest': 'sha256:' + digest, 'size': len(text),
                             'annotations': {name: sys.argv[2]}})
json.dump(entries, open('src/index.json', 'w'))
P
ok "an index in an index" thimble inspect --remote --platform linux/arm64 oci:src:nested
is "$(field "$T/out" 'd[0]["Descriptor"]["digest"], d[0]["Architecture"]')" "('$(digest arm64)', 'arm64')" "leads to the image"
python3 wrap.py nested three && python3 wrap.py three four
ok "three of them" thimble inspect --remote --platform linux/arm64 oci:src:three
is "$(field "$T/out" 'd[0]["Descriptor"]["digest"]')" "$(digest arm64)" "lead to it too"
ok "as copy follows them" thimble copy --all oci:src:three "docker://$R/deep:three"
ok "and pull" thimble pull --platform linux/arm64 "$R/deep:three"
is "$(thimble inspect -f '{{.Descriptor.digest}}' "$R/deep:three")" "$(digest arm64)" "gets it"
thimble rmi "$R/deep:three" >/dev/null
fails 1 "indexes without end" thimble inspect --remote --platform linux/arm64 oci:src:four
like "$err" 'indexes in indexes, more than 3 deep' "are not followed"
like "$err" 'try +name the image itself by its digest' "and what to do"
ok "--raw" thimble inspect --remote --raw "$R/team/app:multi"
is "sha256:$(sha256sum <"$T/out" | cut -d' ' -f1)" "$(digest multi)" "byte by byte"
ok "--config" thimble inspect --remote --config --platform linux/amd64 "$R/team/app:multi"
cp "$T/out" config.json
is "sha256:$(sha256sum <config.json | cut -d' ' -f1)" \
	"$(thimble inspect --remote -f '{{.Id}}' "$R/team/app:amd64")" "byte by byte"
ok "skopeo gives the same" skopeo inspect --config --raw --tls-verify=false "docker://$R/team/app:amd64"
cp "$T/out" skopeo.json
ok "all of it" cmp skopeo.json config.json
ok "an artifact" thimble inspect --remote "$R/team/app:artifact"
is "$(field "$T/out" 'd[0]["ArtifactType"], d[0]["Subject"]["digest"]')" "('text/x-report', '$(digest amd64)')" "type and subject"
ok "of a layout" thimble inspect --remote oci:src:amd64
is "$(field "$T/out" 'd[0]["Descriptor"]["digest"]')" "$(digest amd64)" "the same digest"
fails 1 "what is not there" thimble inspect --remote "$R/team/app:nope"
fails 2 "--raw without --remote" thimble inspect --raw x
ok "the store holds nothing" sh -c 'test -z "$("$THIMBLE" images -q)"'

# ---- with credentials ----
tls
registry safe tls basic
ok "copy there" thimble copy -q --cacert "$ca" --creds "alice:$alice" oci:src:amd64 "docker://$host/x:1"
mkdir certs && cp "$ca" certs/ca.crt
printf '{"auths":{"%s":{"auth":"%s"}}}' "$host" "$(printf 'alice:%s' "$alice" | base64)" >auth.json
chmod 600 auth.json
is "$(thimble tags --cacert "$ca" --creds "alice:$alice" "$host/x")" 1 "tags --cacert --creds"
is "$(thimble tags --cert-dir certs --authfile auth.json "$host/x")" 1 "tags --cert-dir --authfile"
is "$(thimble tags --insecure --authfile auth.json "$host/x")" 1 "tags --insecure"
is "$(thimble tags --tls-verify=false --authfile auth.json "$host/x")" 1 "tags --tls-verify=false"
is "$(thimble search --cacert "$ca" --creds "alice:$alice" "$host/x" | wc -l)" 2 "search --cacert --creds"
is "$(thimble search --cert-dir certs --authfile auth.json "$host/x" | wc -l)" 2 "search --cert-dir --authfile"
is "$(thimble search --insecure --authfile auth.json "$host/x" | wc -l)" 2 "search --insecure"
is "$(thimble search --tls-verify=false --authfile auth.json "$host/x" | wc -l)" 2 "search --tls-verify=false"
ok "inspect --cacert --creds" thimble inspect --remote --cacert "$ca" --creds "alice:$alice" "$host/x:1"
ok "inspect --cert-dir --authfile" thimble inspect --remote --cert-dir certs --authfile auth.json "$host/x:1"
ok "inspect --insecure" thimble inspect --remote --insecure --authfile auth.json "$host/x:1"
ok "inspect --tls-verify=false" thimble inspect --remote --tls-verify=false --authfile auth.json "$host/x:1"
fails 1 "without credentials" thimble tags --cacert "$ca" "$host/x"
like "$err" 'thimble login' "says what to do"
done_testing
