#!/bin/sh
# Registries that lie, and images that are not what they should be: each is refused in plain words,
# with little memory, soon; nothing reaches the store, nor any place outside it.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
base_image
mkdir "$T/outside"
oci_registry other
other=$host
oci_registry oci --other "http://$other" --outside "$T/outside"
oci=$host

whole() {
	is "$(store_faults)" '' "$1: the store is whole"
	is "$(ls -A "$T/outside")" '' "$1: nothing is written outside"
}
terse() { # DESCRIPTION: bounded, and nothing that a terminal obeys
	is "$((peak < 131072))" 1 "$1: less than 128 MiB ($peak KiB)"
	is "$(cat "$T/out" "$T/err" | sed 's/…//g' | tr -d '[:print:][:space:]' | grep -a -c .)" 0 "$1: no control bytes"
	is "$(($(wc -c <"$T/err") < 8192))" 1 "$1: in few words"
}
# refused KIND REGEX
refused() {
	chosen || return 0
	peak timeout 60 "$THIMBLE" pull "$oci/hostile/$1"
	is "$status" 1 "$1: refused" || diag_file "$T/err"
	like "$err" "$2" "$1: says why"
	terse "$1"
	run thimble images -q "$oci/hostile/$1"
	is "$out" '' "$1: there is no such image"
	whole "$1"
}
# What may be taken, or refused in words: the bounds are what matters.
bounded() {
	chosen || return 0
	peak timeout 60 "$THIMBLE" pull "$oci/hostile/$1"
	like "$status" '^[01]$' "$1: it ends"
	terse "$1"
	forget "$oci/hostile/$1"
	whole "$1"
}

refused layer-media-type 'x-cpio'
refused layer-media-control 'media|type'
refused layer-foreign 'foreign|elsewhere|not distributed'
refused config-media-type 'vnd.other|not an image|artifact'
refused size-small 'size|bytes|more'
refused size-large 'size|bytes|closed'
refused size-negative 'size'
refused size-beyond 'size'
refused size-real 'size'
refused size-text 'size'
refused size-huge 'size|bytes|room|space|large'
refused config-size-small 'size|bytes|more'
refused config-size-huge 'size|bytes|large|config'
refused digest-path 'digest'
refused digest-short 'digest'
refused digest-upper 'digest'
refused digest-other-algorithm 'digest|md5|algorithm'
refused layers-missing 'layers'
refused layers-object 'layers'
refused layers-null 'layer|descriptor|object'
refused layers-many 'layers'
refused layers-more-than-diff-ids 'layers|diff'
refused layers-fewer-than-diff-ids 'layers|diff'
refused media-type-of-an-index 'manifests|index|mediaType|media type'
refused schema-one 'schema'
for kind in null list text deep rootfs-missing diff-id-path; do
	refused "config-$kind" 'config|rootfs|diff|JSON|object|digest'
done
# taken, with a warning
bounded config-os
bounded config-os-control
refused config-diff-id-wrong 'diff'
refused manifest-text 'JSON|manifest'
refused manifest-deep 'JSON|manifest|deep|nest'
bounded manifest-nul
refused manifest-twice 'twice|duplicate'
refused manifest-both 'both|manifests|layers'
refused manifest-large 'large|bytes|MiB|4194304'
refused layer-is-no-gzip 'gzip|inflate|compress|damaged|corrupt|invalid|header'
refused layer-cut 'gzip|ends|early|truncated|damaged|corrupt|incomplete|cut'
bounded layer-leads-out
refused layer-bomb 'diff|digest|bytes|zero|end|other'
refused layer-window 'window|memory|zstd|large'
refused index-deep 'index|deep|nest'
refused index-wide 'platform|large|bytes|linux'
refused index-empty 'platform|empty|no '
refused index-platforms 'platform'
refused index-size-wrong 'size|bytes'
refused index-of-blobs 'media|manifest|not|404'

refused manifest-endless 'large|bytes|4194304|MiB'
refused manifest-length-huge 'large|bytes|4194304|MiB'
bounded manifest-digest-header
bounded manifest-digest-control
refused manifest-other-bytes 'digest|other bytes'
refused index-of-itself 'digest|index|deep|itself|other bytes|404'
bounded content-type-html
refused content-type-index 'Content-Type|media type|mediaType|index'
refused layer-endless 'more|bytes'
refused layer-longer 'more|bytes'
refused layer-other-bytes 'digest|other bytes|damaged|corrupt|invalid|gzip'
refused layer-other-tar 'digest|other bytes|damaged|corrupt|invalid|gzip|diff|more|closed'
refused config-endless 'more|bytes'
refused config-other-bytes 'digest|other bytes|more'
refused redirect-file 'file:'
refused redirect-gopher 'gopher'
refused redirect-loop 'redirect'
refused redirect-user 'user|name|password'
refused redirect-nothing 'Location|redirect'
refused redirect-control 'Location|redirect|control|URL|refused|bytes'
refused redirect-long 'long|URL|8192|headers'
refused headers-many 'headers'
refused header-long 'headers? of the answer'
refused error-words 'DENIED|403'
refused error-endless '403'
refused error-deep '400'
refused challenge-endless 'realm|file:'
refused challenge-many '401|unauthorized|authentication|login|Scheme'
chosen && {
	peak timeout 60 "$THIMBLE" pull "$oci/hostile/redirect-other"
	is "$status" 1 "redirect-other: what is there is not what was asked for"
	terse redirect-other
	whole redirect-other
}
# A body that stalls is waited for as long as networks need it (60 s, several times), but not by ^C.
"$THIMBLE" pull "$oci/hostile/layer-stalls" >"$T/out" 2>"$T/err" &
pid=$!
sleep 1.5
kill -TERM $pid
wait $pid
is $? 143 "a layer that stalls: a signal ends it"
whole "a layer that stalls"

# By a build, too.
mkdir ctx
printf 'FROM %s/hostile/size-small\nCOPY --from=%s/hostile/digest-path / /\n' "$oci" "$oci" >ctx/Dockerfile
fails 1 "FROM a hostile registry" thimble build -q ctx
whole "FROM"
ok "what was there before still runs" thimble run --rm base /bin/hello
done_testing
