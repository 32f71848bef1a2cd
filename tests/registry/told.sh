#!/bin/sh
# What is said of the strange answers of a registry, word for word, and what to do about it. (What else
# comes of them is told by hostile-pull.sh, hostile-push.sh, pull-faults.sh and push-faults.sh.)
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
oci_registry oci
oci=$host
faults proxy "$oci"
proxy=$host
image data 400000
ok "an image in the registry" thimble push data "$oci/team/data:1"
forget "$oci/team/data:1"
export THIMBLE_TEST_RETRY_MS=1

# told REGEX COMMAND...: fails, and says that. hint REGEX: and that this may help
told() {
	told_re=$1
	shift
	fails 1 "refused: $*" timeout 60 "$THIMBLE" "$@"
	like "$err" "$told_re" "says why"
}
hint() { like "$err" "^ *try +.*$1" "and what to do"; }
# Its own store each time, so that nothing is there.
number=0
pull() { # REGEX NAME
	number=$((number + 1))
	told "$1" --root "$T/p$number" pull "$2"
}

# ---- images ----
pull 'layer 1 \(sha256:[0-9a-f]{64}\) is a foreign layer \(application/vnd.docker.image.rootfs.foreign.diff.tar.gzip\), which is not in the registry but at an address of its own' "$oci/hostile/layer-foreign"
hint 'such images \(Windows bases\) cannot be used here'
pull "layer 1 has the media type 'application/x-cpio', which is none of a layer's" "$oci/hostile/layer-media-type"
pull 'it is not an image but application/vnd.other\+json' "$oci/hostile/config-media-type"
hint "'thimble copy' moves artifacts that are no images"
pull 'a blob of 1125899906842624 bytes where at most 4194304 are taken' "$oci/hostile/config-size-huge"
pull 'the registry sent other bytes than those asked for: the manifest has digest sha256:[0-9a-f]{64}, not sha256:2{64}' "$oci/hostile/manifest-digest-header"
pull 'the registry sent other bytes than those asked for: the manifest has digest sha256:[0-9a-f]{64}, not' "$oci/hostile/manifest-other-bytes"
pull 'the registry sent other bytes than those asked for: digest sha256:[0-9a-f]{64}, not' "$oci/hostile/config-other-bytes"
hint "if it stays so, the registry's storage or a proxy is damaged"
pull 'the manifest has 2 layers, the config 1' "$oci/hostile/layers-more-than-diff-ids"
pull 'the index says that sha256:[0-9a-f]{64} has [0-9]+ bytes; it has [0-9]+$' "$oci/hostile/index-size-wrong"
pull 'indexes in indexes, [0-9]+ deep' "$oci/hostile/index-deep"
pull 'the registry sends more than the [0-9]+ bytes that the manifest says' "$oci/hostile/layer-longer"
pull "redirects more than 10 times" "$oci/hostile/redirect-loop"
pull "the headers of the answer are larger than [0-9]+ bytes" "$oci/hostile/headers-many"
told 'the manifest has 2 layers, the config 1' copy "docker://$oci/hostile/layers-more-than-diff-ids" docker-archive:no.tar:x:1
told "Docker's manifests cannot name a subject" copy --format docker "docker://$oci/hostile/with-subject" dir:no
ok "nothing is written" test ! -e no -a ! -e no.tar
for kind in index-wide index-heavy; do
	told 'the index names more than 1000 manifests, or more than 16777216 bytes of them' manifest inspect -v "$oci/hostile/$kind"
	hint 'without --verbose it is shown as it is'
done

# ---- answers to a pull ----
rules proxy 'GET /manifests/ * header name=Content-Type value=application/vnd.docker.distribution.manifest.v1+prettyjws'
pull 'the image has the old format of schema 1 \(application/vnd.docker.distribution.manifest.v1\+prettyjws\), which is not supported any more' "$proxy/team/data:1"
hint 'push it again with any tool of today'
rules proxy 'GET /manifests/ * status code=200 body=html'
pull "the registry's answer is not a manifest \(Content-Type: text/html\)" "$proxy/team/data:1"
hint 'is there a proxy or a login page between\? --debug shows the requests'
rules proxy 'GET /manifests/ * status code=429 retry-after=3600'
pull 'answered 429, too many requests: TOOBUSY: made up by the proxy' "$proxy/team/data:1"
hint "registries give more to those who are logged in: 'thimble login $proxy'; or name a mirror in registries.conf"
like "$err" 'it asks not to come back for 3600 s' "and how long it wants to be left alone"
rules proxy 'GET /manifests/ * status code=407'
pull 'answered 407, the proxy wants credentials' "$proxy/team/data:1"
hint "put them into the proxy's address: https_proxy=http://USER:PASSWORD@"
# The layers come side by side, the smallest may be the first: the three large ones are all cut.
rules proxy 'GET /blobs/ 2-5 cut after=300000' 'GET /blobs/ 6- bad-range text="bytes 0-5/6"'
pull 'the registry answered with another part of the blob than was asked for' "$proxy/team/data:1"
rules proxy 'GET /blobs/ 2- truncate after=1000'
pull 'the registry closed the connection after [0-9]+ of [0-9]+ bytes' "$proxy/team/data:1"
rules proxy ''

# ---- answers to a push ----
told 'the registry began an upload without saying where \(no Location\)' push data "$oci/hostile/upload-no-location:1"
told 'the registry takes uploads only in pieces of at least 4611686018427387904 bytes; at most 67108864 are sent' push data "$oci/hostile/upload-chunk-huge:1"
told 'the registry has more bytes of the upload than were sent' push data "$oci/hostile/upload-range-lies:1"
told 'the registry took the manifest as sha256:5{64}, which is not its digest' push data "$oci/hostile/push-manifest-digest:1"
rules proxy 'POST /uploads/$ * status code=201'
told 'the registry called an upload done before it began' push data "$proxy/team/begun:1"
rules proxy 'PUT|PATCH /uploads/ * status code=413 after=1000 body=html'
told "answered 413, too large: a web page, not a registry's answer: 'Gateway'" push data "$proxy/team/large:1"
hint 'a proxy before the registry may limit the size of requests'
for code in 400 415; do
	rules proxy "PUT /manifests/ * status code=$code"
	told "answered $code, " push data "$proxy/team/refused:1"
	hint "an old registry may not know OCI's formats: try --format docker"
done
told "answered 415, " push --format docker data "$proxy/team/refused:1"
unlike "$err" '\-\-format' "which is no advice for who did so"
rules proxy ''
mkdir dir
told "'dir' is not a regular file" attach --artifact-type text/x "$oci/team/data:1" dir

# ---- names ----
told 'the registry names more than 100000 tags' tags "$oci/hostile/tags-many"
told "among the registry's tags is '../../../etc/passwd', which is no name" tags "$oci/hostile/tags-traversal"
told 'the registry names more than 10000 referrers' referrers "$oci/hostile/referrers-forever"
told "the registry's link to the next page leads to another host" tags "$oci/hostile/tags-other"
told "the registry's list of tags goes on for more than 10000 pages" tags "$oci/hostile/tags-loop"
cat >hub.conf <<C
[[registry]]
prefix = "docker.io"
location = "$oci"
insecure = true
C
cp "$CONTAINERS_REGISTRIES_CONF" was.conf
cp hub.conf "$CONTAINERS_REGISTRIES_CONF"
pull 'answered 404, not found' nosuch
hint "is the name right\\? 'thimble search TERM' looks for others"
printf '[[registry]]\nprefix = "x.test"\nlocation = "%s"\nmirror = ["%s"]\n' "$oci" "$oci" >"$CONTAINERS_REGISTRIES_CONF"
pull "because +mirror 1 of 'x.test'" x.test/team/data:1
like "$err" 'because +it is no table' "and what is wrong with it"
printf '[[registry]]\nprefix = "x.test"\nlocation = "%s"\ninsecure = true\n[[registry.mirror]]\nlocation = "%s/mirror"\ninsecure = true\n' \
	"$oci" "$oci" >"$CONTAINERS_REGISTRIES_CONF"
pull 'answered 404, not found' x.test/team/data:2
hint "the mirror $oci did not have it either: "
cp was.conf "$CONTAINERS_REGISTRIES_CONF"

# ---- token services ----
# Older than identity tokens.
token_server tokens --hmac key --no-post
oci_registry guarded --hmac key --realm "$realm"
printf '{"auths": {"%s": {"auth": "PHRva2VuPjo=", "identitytoken": "refresh-alice"}}}' "$host" >"$T/auth.json"
chmod 600 "$T/auth.json"
told 'the token service answers 404: no POST here' pull --authfile "$T/auth.json" "$host/team/data:1"
hint 'it may know no identity tokens: log in with a password'
unlike "$err" 'refresh-alice' "the token is not shown"
faults round 127.0.0.1:1
rules round '* . * redirect to={self}/token'
oci_registry led --hmac key --realm "http://$host/token"
pull 'the token service redirects more than 5 times' "$host/team/data:1"
oci_registry locked --user "alice:$alice"
rules proxy "GET /blobs/ * redirect to=http://$host{path}"
pull 'answered 401, unauthorized' "$proxy/team/data:1"
hint 'this came from where the registry redirected to, not from itself'
sound "at the end"
done_testing
