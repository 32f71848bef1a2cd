#!/bin/sh
# attach and referrers: with the API of OCI 1.1, and with the fall-back tag.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
skopeo() { command skopeo --insecure-policy "$@"; }
field() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"; }
"$tests/lib/make-layout" src || { echo "Bail out! no layout"; exit 1; }
digest() { field src/index.json "[m['digest'] for m in d['manifests'] if m['annotations']['org.opencontainers.image.ref.name']=='$1'][0]"; }
echo '{"spdx":1}' >sbom.json
echo 'all is well' >report.txt
registry old
oci_registry new --page 1
for kind in old new; do
	case $kind in
	old) R=$(sed -n 's/.*listening on \([0-9.:]*\).*/\1/p' "$servers/old/err" | head -n 1) api=False ;;
	new) R=127.0.0.1:$(cat "$servers/new/port") api=True ;;
	esac
	thimble copy -q --all oci:src:multi "docker://$R/app:1"
	ok "$kind: nobody refers to it" thimble referrers --json "$R/app:1"
	is "$out" '[]' "$kind: an empty list"
	ok "$kind: attach a file" thimble attach --json --artifact-type application/spdx+json \
		--annotation made=here --annotation 'note=a=b' "$R/app:1" sbom.json
	is "$(field "$T/out" 'd["Subject"], d["ReferrersAPI"]')" "('$(digest multi)', $api)" "$kind: its subject is the index"
	first=$(field "$T/out" 'd["Digest"]')
	ok "$kind: again" thimble attach --artifact-type application/spdx+json \
		--annotation made=here --annotation note=a=b "$R/app:1" sbom.json
	is "$out" "$first" "$kind: is the same artifact"
	ok "$kind: two files, with types" thimble attach --artifact-type text/x-report "$R/app:1" report.txt:text/plain sbom.json
	second=$out
	ok "$kind: to one platform" thimble attach -q --artifact-type text/x-report --platform linux/arm64 "$R/app:1" report.txt
	ok "$kind: referrers" thimble referrers "$R/app:1"
	is "$(sed -n 1p "$T/out" | tr -s ' ')" 'DIGEST ARTIFACT TYPE SIZE ANNOTATIONS' "$kind: a table"
	like "$out" "^$first +application/spdx\+json +[0-9]+B +made=here,note=a=b" "$kind: the first"
	like "$out" "^$second +text/x-report" "$kind: the second"
	is "$(wc -l <"$T/out")" 3 "$kind: no more"
	is "$(thimble referrers --artifact-type text/x-report --format '{{.Digest}}' "$R/app:1")" "$second" "$kind: --artifact-type"
	is "$(thimble referrers --platform linux/arm64 --no-trunc "$R/app:1" | wc -l)" 2 "$kind: --platform"
	is "$(thimble referrers --json --platform linux/amd64 "$R/app:1")" '[]' "$kind: the other has none"
	ok "$kind: the artifact is one" thimble inspect --remote --raw "$R/app@$second"
	is "$(field "$T/out" 'd["artifactType"], d["config"]["mediaType"], d["config"]["size"], d["subject"]["digest"]')" \
		"('text/x-report', 'application/vnd.oci.empty.v1+json', 2, '$(digest multi)')" "$kind: as image-spec has it"
	is "$(field "$T/out" '[(l["mediaType"], l["annotations"]["org.opencontainers.image.title"]) for l in d["layers"]]')" \
		"[('text/plain', 'report.txt'), ('application/octet-stream', 'sbom.json')]" "$kind: types and titles of the files"
	ok "$kind: and can be copied" thimble copy "docker://$R/app@$second" "dir:art-$kind"
	ok "$kind: the file is in it" grep -rqx 'all is well' "art-$kind"
	ok "$kind: skopeo reads it" skopeo inspect --raw --tls-verify=false "docker://$R/app@$first"
	fails 1 "$kind: to what is not there" thimble attach --artifact-type text/x-report "$R/app:nope" report.txt
	fails 1 "$kind: a file that is not there" thimble attach --artifact-type text/x-report "$R/app:1" nofile
	is "$(thimble referrers "$R/app:1" | wc -l)" 3 "$kind: nothing was added"
done
fails 2 "docker's attach" thimble attach happy_container
like "$err" 'no terminal to attach to' "is told from ours"
fails 2 "without a type" thimble attach "$R/app:1" report.txt
fails 2 "a type that is none" thimble attach --artifact-type report "$R/app:1" report.txt
fails 2 "an annotation that is none" thimble attach --artifact-type text/x-report --annotation made "$R/app:1" report.txt

tls
registry safe tls basic
thimble copy -q --cacert "$ca" --creds "alice:$alice" oci:src:amd64 "docker://$host/x:1"
mkdir certs && cp "$ca" certs/ca.crt
printf '{"auths":{"%s":{"auth":"%s"}}}' "$host" "$(printf 'alice:%s' "$alice" | base64)" >auth.json
chmod 600 auth.json
ok "attach --cacert --creds" thimble attach --cacert "$ca" --creds "alice:$alice" --artifact-type text/x-report "$host/x:1" report.txt
ok "attach --cert-dir --authfile" thimble attach --cert-dir certs --authfile auth.json --artifact-type text/x-a "$host/x:1" report.txt
ok "attach --insecure" thimble attach --insecure --authfile auth.json --artifact-type text/x-b "$host/x:1" report.txt
ok "attach --tls-verify" thimble attach --tls-verify=false --authfile auth.json --artifact-type text/x-c "$host/x:1" report.txt
is "$(thimble referrers --cacert "$ca" --creds "alice:$alice" "$host/x:1" | wc -l)" 5 "referrers --cacert --creds"
is "$(thimble referrers --cert-dir certs --authfile auth.json "$host/x:1" | wc -l)" 5 "referrers --cert-dir --authfile"
is "$(thimble referrers --insecure --authfile auth.json "$host/x:1" | wc -l)" 5 "referrers --insecure"
is "$(thimble referrers --tls-verify=false --authfile auth.json "$host/x:1" | wc -l)" 5 "referrers --tls-verify"
done_testing
