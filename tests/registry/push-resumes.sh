#!/bin/sh
# An upload that breaks goes on where it broke, when the registry can (docker-registry 2.8 cannot: it
# drops an upload that ended early); pieces are as large as it wants them; blobs are mounted.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
oci_registry oci
oci=$host
faults proxy "$oci"
proxy=$host
image data 3000000
contents data >want
arrived() { # NAME DESCRIPTION
	ok "$2: it can be pulled" thimble --root "$T/other" pull -q "$1"
	is "$(THIMBLE_ROOT=$T/other contents "$1")" "$(cat want)" "$2: and is the image"
}
# sent REGEX: bytes of the bodies of the requests that match
sent() { requests proxy "$1" | sed 's/.* in=\([0-9]*\) .*/\1/' | awk '{ n += $1 } END { print n + 0 }'; }

rules proxy 'PUT|PATCH /uploads/ 1-4 cut-upload after=2000000'
ok "one upload is cut" thimble push data "$proxy/once:1"
arrived "$oci/once:1" "cut once"
like "$(requests proxy '^PATCH .*\{Content-Range: ')" 'Content-Range: [1-9][0-9]{6}-[0-9]' \
	"the rest follows with its range"
total=$(sent '^(PUT|PATCH) /v2/once/blobs')
is "$((total > 9000000 && total < 9700000))" 1 "little is sent twice ($total bytes for 9000000)"

image data2 3000000
rules proxy 'PUT|PATCH /uploads/ 1-7 cut-upload after=600000'
ok "uploads are cut seven times" thimble push data2 "$proxy/often:1"
contents data2 >want
arrived "$oci/often:1" "cut often"

image data3 3000000
contents data3 >want
rules proxy 'PUT|PATCH /uploads/ 1-4 cut-upload after=2000000' 'GET /uploads/ 1-4 header name=Range value=0-999'
ok "the registry knows of less" thimble push data3 "$proxy/less:1"
arrived "$oci/less:1" "less"

image data4 3000000
rules proxy 'PUT|PATCH /uploads/ 1-4 cut-upload after=2000000' 'GET /uploads/ 1-4 header name=Range value=0-9999999999'
ok "the registry claims more than there is" timeout 60 "$THIMBLE" push data4 "$proxy/more:1"
contents data4 >want
arrived "$oci/more:1" "more"

# Pieces of at least so much.
oci_registry pieces --chunk 1000000
faults toll "$host"
toll=$host
image data5 3000000
contents data5 >want
rules toll 'PUT|PATCH /uploads/ 1-4 cut-upload after=1500000'
ok "pieces of a million bytes" thimble push data5 "$toll/pieces:1"
arrived "$toll/pieces:1" "pieces"

# Mounts.
rules proxy ''
ok "to another repository" thimble push data "$proxy/mounted/here:1"
is "$(count proxy '^POST .*mount=')" 4 "the layers are mounted"
total=$(sent '^(PUT|PATCH) /v2/mounted/here/blobs')
is "$((total < 5000))" 1 "none is sent"
contents data >want
arrived "$proxy/mounted/here:1" "mounted"
oci_registry unmounted --no-mounts
faults nomount "$host"
ok "elsewhere, where mounts are not known" thimble push data "$host/a:1"
ok "to another repository there" thimble push data "$host/b:1"
arrived "$host/b:1" "not mounted"

# Killed in the middle.
image data6 3000000
contents data6 >want
rules proxy 'PUT|PATCH /uploads/ * delay s=30'
"$THIMBLE" push data6 "$proxy/killed:1" >/dev/null 2>&1 &
pid=$!
for _ in $(seq 200); do
	grep -q '^POST' "$servers/proxy/log" && break
	sleep 0.05
done
sleep 0.3
kill -9 $pid
wait $pid 2>/dev/null
is "$(curl -s -o /dev/null -w '%{http_code}' "http://$oci/v2/killed/manifests/1")" 404 "killed: no tag"
rules proxy ''
ok "killed: the next push works" thimble push data6 "$proxy/killed:1"
arrived "$oci/killed:1" "killed"
sound "killed"
sleep 0.2
is "$(pgrep -P 1 -f "push data6 $proxy" | wc -l)" 0 "killed: no process of it is left"
done_testing
