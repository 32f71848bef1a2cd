#!/bin/sh
# A pull through what networks and proxies do: it ends well after another try, or says what is wrong;
# the store stays whole, and the next pull works.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
base_image
registry plain
plain=$host
image data
ok "pushed" thimble push data "$plain/team/data:1"
ok "the base, too" thimble push base "$plain/team/base:1"
contents data >want
forget data "$plain/team/data:1" "$plain/team/base:1"
faults proxy "$plain"
name=$host/team/data:1
ok "a pull without faults" thimble pull "$name"
contents "$name" >got
ok "brings what was built" cmp want got
is "$(count proxy '^GET .*/blobs/')" 5 "four layers and a config"
forget "$name"

# mends DESCRIPTION RULE...: the pull succeeds in spite of it, and the rule was used
mends() {
	chosen || return 0
	what=$1
	shift
	rules proxy "$@"
	if ok "$what: the pull succeeds" thimble pull "$name"; then
		contents "$name" >got
		ok "$what: with the right bytes" cmp want got
	fi
	seen "$what"
	forget "$name"
	sound "$what"
}
# says DESCRIPTION REGEX RULE...: the pull fails with these words; without the fault it works
says() {
	chosen || return 0
	what=$1 words=$2
	shift 2
	rules proxy "$@"
	fails 1 "$what: the pull fails" timeout 60 "$THIMBLE" pull "$name"
	like "$err" "$words" "$what: it says why"
	unlike "$out$err" "$(printf '\033')|AddressSanitizer" "$what: in plain words"
	seen "$what"
	run thimble images -q "$name"
	is "$out" '' "$what: there is no such image"
	sound "$what"
	rules proxy ''
	ok "$what: the next pull works" thimble pull "$name"
	forget "$name"
}
seen() { ok "$1: it happened" grep -q 'rule=' "$servers/proxy/log"; }

rules proxy 'GET /blobs/ 2 cut after=300000'
ok "cut in the middle of a layer" thimble pull "$name"
forget "$name"
like "$(requests proxy '^GET .*/blobs/.* 206 ')" '\{Range: bytes=300000-\}' "only the rest is asked for"
mends "cut in every layer, three times, with a reset" 'GET /blobs/ 2-5 cut after=200000 reset=1' \
	'GET /blobs/ 6-10 cut after=250000'
mends "an answer that does not come" 'GET /blobs/ 3 cut-head'
mends "the config's answer does not come" 'GET /blobs/ 1 cut-head'
mends "the manifest's answer does not come" 'GET /manifests/ 1 cut-head'
mends "a whole answer that is too short" 'GET /blobs/ 3 truncate after=1000'
mends "cut, and the proxy knows no ranges" 'GET /blobs/ 2 cut after=300000' 'GET /blobs/ 3-8 no-range'
mends "429 with Retry-After" 'GET /blobs/ 2 status code=429 retry-after=1'
mends "503 with a date" 'GET /manifests/ 1 status code=503 date=2'
for code in 408 500 502 504; do
	mends "$code once" "GET /blobs/ 2 status code=$code body=html"
done
mends "a redirect to the same host" 'GET /blobs/ 2 redirect to={path} code=302' \
	'GET /blobs/ 3 redirect to={self}{path} code=308'
mends "a stall" 'GET /blobs/ 2 stall after=1000 s=2'
mends "a length that is too long" 'GET /blobs/ 2 length add=-5'

says "corrupted on the way" 'other bytes|digest|damaged|corrupt|invalid' 'GET /blobs/ 4 corrupt at=500000'
says "the config corrupted" 'other bytes|digest' 'GET /blobs/ 1 corrupt at=40'
says "the manifest corrupted" 'JSON|digest|manifest' 'GET /manifests/ 1 corrupt at=0'
says "503 for ever" '503|TOOBUSY|made up by the proxy' 'GET /blobs/ * status code=503'
says "500 with HTML for ever" '500' 'GET /manifests/ * status code=500 body=html'
says "429, and wait for an hour" '429' 'GET /manifests/ * status code=429 retry-after=3600'
says "cut again and again" 'closed|broke|connection|transfer' 'GET /blobs/ * cut after=1000'
says "403" '403|forbidden|denied' 'GET /manifests/ * status code=403'
says "401 without a challenge" '401|unauthorized|login' 'GET /manifests/ * status code=401'
says "401 with a scheme nobody knows" "'Negotiate', which thimble does not speak" 'GET /manifests/ * status code=401 auth=Negotiate'
says "404" 'no such|not found|404|does not have' 'GET /manifests/ * status code=404'
says "404 for a layer" 'blob|404' 'GET /blobs/ 3- status code=404'
says "HTML instead of a manifest" 'HTML|JSON|manifest|text/html' 'GET /manifests/ * status code=200 body=html'
says "HTML instead of a layer" 'bytes|closed' 'GET /blobs/ 2- status code=200 body=html'
says "an error that is a terminal's orders" '500' 'GET /manifests/ * status code=500 body=bytes'
says "an error of four megabytes" '500' 'GET /manifests/ * status code=500 body=big'
says "a redirect in circles" 'redirect' 'GET /blobs/ * redirect to={self}{path}'
says "a redirect to a file" 'file:' 'GET /blobs/ * redirect to=file:///etc/passwd'
says "a redirect to nothing" 'Location|redirect' 'GET /blobs/ * redirect to='
says "no HTTP at all" 'no HTTP' '* . * garbage'
says "another part than asked for" 'part|range' 'GET /blobs/ 2 cut after=300000' \
	'GET /blobs/ 3- bad-range text=bytes=0-5/6'
says "other bytes under the right range" 'other bytes|digest|damaged|corrupt|invalid|closed' \
	'GET /blobs/ 2-5 cut after=300000' 'GET /blobs/ 6- shift-range n=7'
says "a length that is too short" 'more than|bytes' 'GET /blobs/ 2- length add=5'

ok "what was there before still runs" thimble run --rm base /bin/hello
done_testing
