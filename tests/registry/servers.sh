#!/bin/sh
# The servers that the other scripts stand on do what they say, asked by curl and skopeo.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
get() { curl -s -m 20 "$@"; }
status() { get -o /dev/null -w '%{http_code}' "$@"; }

registry plain
plain=$host
ok "docker-registry answers" get -f "http://$plain/v2/"
tls
for kind in '' -expired -wrong; do
	registry "tls$kind" "tls${kind:--server}"
	run get --cacert "$ca" "https://$host/v2/"
	case $kind in
	'') is "$status" 0 "TLS with the tests' authority" ;;
	*) is "$status" 60 "TLS with a certificate that is${kind#-}: curl refuses" ;;
	esac
done
registry client tls-client
run get --cacert "$ca" "https://$host/v2/"
like "$status" '^5[56]$' "a client certificate is wanted" # told while curl sends, or when it reads
ok "and taken" get --cacert "$ca" --cert "$tls/client.pem" --key "$tls/client.key" "https://$host/v2/"

registry closed basic
is "$(status "http://$host/v2/")" 401 "basic: nobody"
is "$(status -u "alice:$alice" "http://$host/v2/")" 200 "basic: alice"
is "$(status -u "alice:wrong" "http://$host/v2/")" 401 "basic: a wrong password"

token_server tokens
registry guarded token
guarded=$host
field() { python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1], ""))' "$1"; }
scope='scope=repository:team/x:pull,push&service=thimble-tests'
token=$(get -u "alice:$alice" "$realm?$scope&offline_token=true" | tee "$T/answer" | field token)
refresh=$(field refresh_token <"$T/answer")
is "$(status "http://$guarded/v2/team/x/tags/list")" 401 "token: without one"
is "$(status -H "Authorization: Bearer $token" "http://$guarded/v2/team/x/tags/list")" 404 "token: with it"
is "$(status -u "alice:wrong" "$realm?$scope")" 401 "token: a wrong password"
isnt "$(get -d "grant_type=refresh_token&refresh_token=$refresh&$scope" "$realm" | field access_token)" \
	'' "token: by a refresh token"
is "$(status -d "grant_type=refresh_token&refresh_token=no&$scope" "$realm")" 401 "token: not by another"
requests tokens "Basic $(printf 'alice:%s' "$alice" | base64)" >"$T/seen"
is "$(wc -l <"$T/seen")" 1 "its log shows where a password came"

# A small image, by hand, so that these tests need no other program.
oci_registry oci --page 2 --chunk 1000 --redirected '' --other http://127.0.0.1:1
oci=$host
head -c 5000 /dev/urandom >blob
digest=sha256:$(sha256sum blob | cut -d' ' -f1)
for r in a/one a/two b/one; do
	is "$(status -X POST --data-binary @blob "http://$oci/v2/$r/blobs/uploads/?digest=$digest")" 201 "oci: $r, a blob"
done
is "$(status -X POST "http://$oci/v2/c/blobs/uploads/?mount=$digest&from=a/one")" 201 "oci: a mount"
manifest() { printf '{"schemaVersion":2,"config":{"digest":"%s","size":5000,"mediaType":"x/y"},"layers":[]%s}' "$digest" "$1"; }
for tag in 1 2 3; do
	is "$(manifest ",\"annotations\":{\"n\":\"$tag\"}" | status -T - "http://$oci/v2/a/one/manifests/$tag")" 201 "oci: tag $tag"
done
like "$(get -i "http://$oci/v2/a/one/tags/list")" '^Link: <.*last=2>' "oci: tags come in pages"
subject=sha256:$(manifest ',"annotations":{"n":"1"}' | sha256sum | cut -d' ' -f1)
run sh -c "printf '%s' '$(manifest ",\"subject\":{\"digest\":\"$subject\",\"size\":1,\"mediaType\":\"x/y\"}")' |
	curl -si -T - http://$oci/v2/a/one/manifests/sig"
like "$out" "^OCI-Subject: $subject" "oci: a subject is seen"
like "$(get "http://$oci/v2/a/one/referrers/$subject")" '"artifactType": "x/y"' "oci: and listed"
is "$(status "http://$oci/v2/a/one/blobs/$digest")" 307 "oci: blobs are redirected"
is "$(get -L "http://$oci/v2/a/one/blobs/$digest" | sha256sum)" "$(sha256sum <blob)" "oci: to their bytes"
is "$(get -L -r 100-199 "http://$oci/v2/a/one/blobs/$digest" | sha256sum)" \
	"$(tail -c +101 blob | head -c 100 | sha256sum)" "oci: ranges"
is "$(status "http://$oci/v2/hostile/redirect-file/blobs/$digest")" 307 "oci: hostile repositories are there"

faults proxy "$oci"
blob=http://$host/redirected/a/one/$digest
spoilt() { # DESCRIPTION CURL-STATUS RULE...
	what=$1 want=$2
	shift 2
	rules proxy "$@"
	run get -f -o got "$blob"
	is "$status" "$want" "$what"
}
spoilt "faults: none" 0
ok "the bytes" cmp got blob
spoilt "faults: cut" 18 'GET . 1 cut after=1000'
is "$(stat -c %s got)" 1000 "after 1000 bytes"
run get -o got "$blob"
ok "only the first" cmp got blob
spoilt "faults: no answer" 52 'GET . 1 cut-head'
spoilt "faults: garbage" 1 'GET . 1 garbage'
spoilt "faults: 503" 22 'GET . 1 status code=503 retry-after=1'
like "$(requests proxy .)" 'GET .* 503 .*rule=GET' "and it is in the log"
spoilt "faults: truncated" 0 'GET . 1 truncate after=10'
is "$(stat -c %s got)" 10 "to 10 bytes"
spoilt "faults: corrupted" 0 'GET . 1 corrupt at=77'
is "$(cmp -l got blob | wc -l)" 1 "one byte differs"
spoilt "faults: a wrong length" 18 'GET . 1 length add=5'
rules proxy 'GET . * no-range'
is "$(status -r 100-199 "$blob")" 200 "faults: no ranges"
rules proxy 'GET . * shift-range n=3'
get -r 100-199 "$blob" >got
is "$(tail -c +104 blob | head -c 97 | sha256sum)" "$(head -c 97 got | sha256sum)" "faults: other bytes than asked for"
rules proxy 'PATCH . 1 cut-upload after=2000' 'POST . * pass'
location=$(get -i -X POST "http://$host/v2/a/one/blobs/uploads/" | tr -d '\r' | sed -n 's/^Location: //p')
run get -X PATCH -T blob "http://$host$location"
isnt "$status" 0 "faults: an upload is cut"
like "$(get -i "http://$host$location")" '^Range: 0-1999' "and its beginning arrived"
done_testing
