#!/bin/sh
# copy between registries and files through a faulty proxy, on either side: the same bytes, or an
# error; what was there at the destination stays.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
registry plain
faults source "$host"
from=$host
registry there
there=$host
faults target "$host"
to=$host
image small 100
# A new image each time: what the target has would not be moved.
fresh() {
	rules source ''
	rules target ''
	image data 700000
	ok "$what: pushed" thimble push -q --digestfile digest data "$from/data:1"
	digest=$(cat digest)
}

raw() { thimble inspect --remote --raw "$1" | sha256sum | cut -d' ' -f1; }
mends() { # DESCRIPTION SIDE RULE...
	chosen || return 0
	what=$1 side=$2
	shift 2
	fresh
	rules "$side" "$@"
	ok "$what: it is copied" timeout 60 "$THIMBLE" copy "docker://$from/data:1" "docker://$to/c/$case_number:1"
	ok "$what: it happened" grep -q 'rule=' "$servers/$side/log"
	is "sha256:$(raw "docker://$there/c/$case_number:1")" "$digest" "$what: the same digest"
	ok "$what: it can be pulled" thimble --root "$T/p/$case_number" pull -q "$there/c/$case_number:1"
	sound "$what"
}
says() { # DESCRIPTION SIDE REGEX RULE...
	chosen || return 0
	what=$1 side=$2 words=$3
	shift 3
	fresh
	ok "$what: another image is there" thimble push small "$to/c/$case_number:1"
	at=$to/c/$case_number:2
	rules "$side" "$@"
	fails 1 "$what: it fails" timeout 60 "$THIMBLE" copy "docker://$from/data:1" "docker://$at"
	like "$err" "$words" "$what: it says why"
	ok "$what: it happened" grep -q 'rule=' "$servers/$side/log"
	rules "$side" ''
	fails 1 "$what: no tag" thimble inspect --remote "docker://$at"
	ok "$what: the next copy works" thimble copy "docker://$from/data:1" "docker://$at"
	is "sha256:$(raw "docker://$at")" "$digest" "$what: the same digest"
	ok "$what: the other image is still there" thimble inspect --remote "docker://$to/c/$case_number:1"
	sound "$what"
}
files() { # DESCRIPTION REGEX RULE...: to a layout and a directory
	chosen || return 0
	what=$1 words=$2
	shift 2
	fresh
	ok "$what: a layout" thimble copy small oci:lay:old
	before=$(find lay -type f | sort | xargs sha256sum)
	for kind in oci:lay:new dir:dir-new oci-archive:a.tar; do
		rules source "$@"
		fails 1 "$what: $kind fails" timeout 60 "$THIMBLE" copy "docker://$from/data:1" "$kind"
		like "$err" "$words" "$what: it says why"
		rules source ''
		rm -rf dir-new
	done
	is "$(find lay -type f | sort | xargs sha256sum)" "$before" "$what: the layout is as before"
	is "$(ls a.tar 2>/dev/null)" '' "$what: no archive is left"
	ok "$what: the next copy works" thimble copy "docker://$from/data:1" oci:lay:new
}
mends "the source is cut" source 'GET /blobs/ 1-3 cut after=300000'
mends "the source does not answer" source 'GET /blobs/ 2 cut-head'
mends "the source is busy" source 'GET /manifests/ 1 status code=503 retry-after=1'
mends "the target is cut" target 'PUT|PATCH /uploads/ 1-2 cut-upload after=300000'
mends "the target is busy" target 'POST . 1-2 status code=429'
mends "the target's answers are lost" target 'PUT . 1-3 lose'
mends "both at once, a little" source 'GET /blobs/ * slow rate=4000000'
says "the source is corrupted" source 'other bytes|digest' 'GET /blobs/ * corrupt at=40'
says "the source has not all" source '404' 'GET /blobs/ 2- status code=404'
says "the source ends early again and again" source 'closed|transfer|bytes|connection' 'GET /blobs/ * cut after=100'
says "the target refuses" target '403|denied|forbidden' 'POST . * status code=403'
says "the target fails" target '500' 'PUT /manifests/ * status code=500'
files "the source is corrupted" 'other bytes|digest' 'GET /blobs/ * corrupt at=40'
files "the source is cut for good" 'closed|transfer|bytes|connection' 'GET /blobs/ * cut after=100'
fails 1 "no such image" thimble copy "docker://$from/none:1" "docker://$to/none:1"
done_testing
