#!/bin/sh
# A push through what networks and proxies do: it ends well after another try, with what was sent
# once not sent again, or says what is wrong; the tag then stands for nothing, and the next push works.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
registry plain
plain=$host
faults proxy "$plain"
proxy=$host
image data
contents data >before

# Each has layers of its own: what the registry has would be mounted.
fresh() { image data 700000; }

# What arrived is what was sent: another store pulls it, past the proxy.
arrived() { # DESCRIPTION
	ok "$1: it can be pulled" thimble --root "$T/other" pull -q "$plain/$repo:1"
	is "$(thimble --root "$T/other" inspect --format '{{.Id}}' "$plain/$repo:1")" \
		"$(thimble inspect --format '{{.Id}}' data)" "$1: and is the image"
}
mends() { # DESCRIPTION RULE...
	chosen || return 0
	what=$1 repo=mends/$case_number
	shift
	fresh
	rules proxy "$@"
	ok "$what: the push succeeds" timeout 60 "$THIMBLE" push data "$proxy/$repo:1" && arrived "$what"
	ok "$what: it happened" grep -q 'rule=' "$servers/proxy/log"
	is "$(store_faults)" '' "$what: the store is whole"
}
says() { # DESCRIPTION REGEX RULE...
	chosen || return 0
	what=$1 words=$2 repo=says/$case_number
	shift 2
	fresh
	rules proxy "$@"
	fails 1 "$what: the push fails" timeout 60 "$THIMBLE" push data "$proxy/$repo:1"
	like "$err" "$words" "$what: it says why"
	ok "$what: it happened" grep -q 'rule=' "$servers/proxy/log"
	is "$(curl -s -o /dev/null -w '%{http_code}' "http://$plain/v2/$repo/manifests/1")" 404 \
		"$what: there is no such tag"
	is "$(store_faults)" '' "$what: the store is whole"
	rules proxy ''
	ok "$what: the next push works" thimble push data "$proxy/$repo:1" && arrived "$what"
}

rules proxy ''
repo=plain
ok "a push without faults" thimble push data "$proxy/$repo:1"
arrived "without faults"
ok "tagged" thimble tag data kept
ok "again" thimble push data "$proxy/$repo:1"
is "$(count proxy '^POST ')" 5 "what is there is not sent again"

rules proxy 'HEAD . 1 status code=502 body=empty' 'PUT|PATCH /uploads/ 1 status code=503'
image data 700000
ok "a push that is tried again" thimble push data "$proxy/$repo:1"
like "$err" "(^|[^/])$proxy answers 502; again in" "the note names host and port"
like "$err" "$proxy answered 503.*; again in" "and the one about an upload"
notes=$(printf '%s\n' "$err" | grep 'again in')
unlike "$notes" '.{300}' "which are not long"
unlike "$notes" '[?][^ ]*[0-9a-f]{40}' "nor tell whole digests"

mends "an upload is cut, nothing arrived" 'PUT|PATCH /uploads/ 1-4 cut-request after=500000'
mends "an upload is cut in the middle" 'PUT|PATCH /uploads/ 1-4 cut-upload after=300000'
mends "every upload is cut twice" 'PUT|PATCH /uploads/ 1-6 cut-upload after=400000'
mends "the answer to an upload is lost" 'PUT|PATCH /uploads/ 1 lose'
mends "the answer to the last request is lost" 'PUT digest= 1 lose'
mends "the answer to the beginning is lost" 'POST . 1 lose'
mends "the answer to the manifest is lost" 'PUT /manifests/ 1 lose'
mends "500 in the middle of an upload" 'PUT|PATCH /uploads/ 1 status code=500 after=500000'
mends "503 in the middle, with HTML" 'PUT|PATCH /uploads/ 2 status code=503 after=100000 body=html'
mends "429 for the beginning" 'POST . 1 status code=429 retry-after=1'
mends "502 for the question whether it is there" 'HEAD . 1 status code=502 body=empty'
mends "503 for the end of a blob" 'PUT digest= 1 status code=503 retry-after=1'
mends "504 for the manifest" 'PUT /manifests/ 1 status code=504'
mends "408 for an upload" 'PUT|PATCH /uploads/ 1 status code=408 after=0'
mends "the registry forgets an upload" 'PUT|PATCH /uploads/ 1 status code=404 after=0'
mends "it forgets it after a cut" 'PUT|PATCH /uploads/ 1-4 cut-upload after=300000' 'GET /uploads/ 1 status code=404'
mends "it refuses the place after a cut" 'PUT|PATCH /uploads/ 1-4 cut-upload after=300000' 'PUT|PATCH /uploads/ 5-6 status code=416 after=0'
mends "a slow answer" 'POST . 1 delay s=1'
mends "every kind of request fails once" 'HEAD . 1 status code=500' 'POST . 1 cut-head' \
	'PUT|PATCH /uploads/ 1-4 cut-upload after=5000' 'PUT digest= 1 lose' 'PUT /manifests/ 1 status code=503'

says "503 for ever" '503|made up by the proxy' 'POST . * status code=503'
says "uploads that always break" '.' 'PUT|PATCH /uploads/ * cut-request after=1000'
says "403" '403|forbidden|denied' 'POST . * status code=403'
says "401 in the middle" '401|unauthorized|login' 'PUT|PATCH /uploads/ * status code=401 after=1000'
says "404 for the repository" '404|not found|no such' 'POST . * status code=404'
says "413" '413' 'PUT|PATCH /uploads/ * status code=413 after=1000 body=html'
says "a redirect in the place of an upload" '307' 'POST . * redirect to=http://127.0.0.1:9/'
says "no Location" 'Location' 'POST . * header name=Location'
says "a Location that is a file" 'file:' 'POST . * header name=Location value=file:///etc/passwd'
says "the manifest is refused" '400|made up by the proxy' 'PUT /manifests/ * status code=400'
says "500 with a page for the manifest" '500' 'PUT /manifests/ * status code=500 body=html'
says "no HTTP at all" 'no HTTP' '* . * garbage'
# A registry that takes all and forgets it at the end, each time, is not sent it for ever.
says "the end is never found" '404|no such' 'PUT digest= * status code=404'
says "the end fails, and all is forgotten" '500' 'PUT digest= * status code=500' \
	'GET /uploads/ * header name=Range value=0-0'

# A mount is a favour: who refuses it is sent the blobs.
for code in 400 401 403 405 500; do
	chosen || continue
	fresh
	rules proxy ''
	ok "$code for a mount: elsewhere before" thimble push data "$proxy/mount/from$code:1"
	rules proxy "POST mount= * status code=$code"
	repo=mount/to$code
	ok "$code for a mount: the push succeeds" timeout 60 "$THIMBLE" push data "$proxy/$repo:1"
	ok "$code for a mount: it happened" grep -q 'rule=' "$servers/proxy/log"
	arrived "$code for a mount"
	ok "$code for a mount: copy" timeout 60 "$THIMBLE" copy "docker://$proxy/$repo:1" "docker://$proxy/mount/copy$code:1"
done
is "$(contents kept)" "$(cat before)" "an image that was there is as before"

# A layer as it came, damaged in the store: the registry refuses it, and it is told why. Then it goes,
# so that it can be pulled again.
rules proxy ''
image data 700000
ok "an image for another store" thimble push data "$plain/damaged/from:1"
export THIMBLE_ROOT="$T/third"
ok "pulled there" thimble pull -q "$plain/damaged/from:1"
blob=$(find "$THIMBLE_ROOT/blobs/sha256" -type f -size +600k | sort | head -n 1)
ok "there is a blob of a layer" test -n "$blob"
printf X | dd of="$blob" bs=1 seek=1000 conv=notrunc 2>/dev/null
fails 1 "a push of it" timeout 60 "$THIMBLE" push "$plain/damaged/from:1" "$proxy/damaged/to:1"
like "$err" 'blob sha256:[0-9a-f]* in the store is damaged' "says what is wrong"
like "$err" 'build, load or pull the image again: the blob is then written anew' "and what to do"
ok "it is gone" test ! -e "$blob"
ok "pull again" thimble pull -q "$plain/damaged/from:1"
ok "and push" timeout 60 "$THIMBLE" push "$plain/damaged/from:1" "$proxy/damaged/to:1"
sound "after a damaged layer"
done_testing
