#!/bin/sh
# Registries that mislead a push, and lists of names that are none.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
oci_registry other
other=$host
oci_registry oci --other "http://$other"
oci=$host
image data 100000
contents data >want
echo data >data.txt

terse() {
	is "$((peak < 131072))" 1 "$1: less than 128 MiB ($peak KiB)"
	is "$(cat "$T/out" "$T/err" | sed 's/…//g' | tr -d '[:print:][:space:]' | grep -a -c .)" 0 "$1: no control bytes"
}
refused() { # KIND REGEX
	chosen || return 0
	peak timeout 60 "$THIMBLE" push data "$oci/hostile/$1:mine"
	is "$status" 1 "$1: refused" || diag_file "$T/err"
	like "$err" "$2" "$1: says why"
	terse "$1"
	is "$(store_faults)" '' "$1: the store is whole"
}
refused upload-no-location 'Location'
refused upload-file 'file:|Location'
refused upload-other '404|refused|other|elsewhere|401'
refused upload-traversal '404'
refused upload-control 'Location|URL'
refused upload-long 'Location|URL|long'
refused upload-chunk-huge 'pieces'
refused upload-chunk-negative 'pieces'
refused upload-range-lies '416|more bytes'
refused upload-forgets '404|unknown'
refused upload-swallows 'unknown|blob|400|digest|other'
refused head-lies 'unknown|blob|400|size'
refused push-manifest-digest 'digest'
is "$(contents data)" "$(cat want)" "the image is as before"
is "$(count other 'Authorization')" 0 "nobody else got credentials"

# Names. What is printed may be refused, or escaped and bounded.
listed() { # KIND REGEX
	chosen || return 0
	peak timeout 60 "$THIMBLE" tags "$oci/hostile/$1"
	like "$status" '^[01]$' "$1: it ends"
	like "$out$err" "$2" "$1: says what it is"
	terse "$1"
	peak timeout 60 "$THIMBLE" pull --all-tags "$oci/hostile/$1"
	like "$status" '^[01]$' "$1: --all-tags ends"
	terse "$1 --all-tags"
	is "$(store_faults)" '' "$1: the store is whole"
}
listed tags-traversal 'good|tag|name'
listed tags-control 'good|tag|name'
listed tags-types 'tag|text|string|list'
run thimble tags "$oci/hostile/tags-null"
is "$status$out" 0 "tags: null is none"
listed tags-deep 'JSON|deep|nest'
listed tags-loop 'page|same|end|circle|Link|more than'
listed tags-file 'Link|file:|good'
listed tags-other 'Link|good|host'
is "$(count other tags)" 0 "no page is fetched from elsewhere"
listed tags-endless 'large|bytes|MiB|long'
chosen && {
	peak timeout 120 "$THIMBLE" tags "$oci/hostile/tags-forever"
	like "$status" '^[01]$' "tags without end: it ends"
	terse "tags without end"
}
chosen && { # near ones are looked for among those that are there
	peak timeout 60 "$THIMBLE" pull "$oci/hostile/tags-far:$(printf '%0128d' 0)"
	is "$status" 1 "tags that are far: it ends soon"
	like "$err" '404|not found' "tags that are far: says what it is"
	terse "tags that are far"
}
for kind in index-wide index-heavy; do
	chosen || continue
	peak timeout 60 "$THIMBLE" manifest inspect -v "$oci/hostile/$kind"
	is "$status" 1 "manifest inspect -v of $kind: refused"
	like "$err" 'names more than' "manifest inspect -v of $kind: says why"
	terse "manifest inspect -v of $kind"
done
# What refers to an image.
refers() { # KIND REGEX
	chosen || return 0
	peak timeout 120 "$THIMBLE" referrers "$oci/hostile/$1"
	like "$status" '^[01]$' "$1: it ends"
	like "$out$err" "$2" "$1: says what it is"
	terse "$1"
}
refers referrers-control 'x/'
refers referrers-types 'object|manifests'
refers referrers-digest 'digest'
refers referrers-deep 'JSON|deep|nest'
refers referrers-no-index 'manifests|index'
refers referrers-loop 'more than|circle|same|x/y'
refers referrers-other 'another host|x/y'
refers referrers-endless 'large|bytes|MiB|long'
refers referrers-forever 'more than|too many|x/y'
chosen && {
	peak timeout 60 "$THIMBLE" attach --artifact-type text/x "$oci/hostile/subject-other" data.txt
	like "$status" '^[01]$' "a subject that is another one: it ends"
	terse "a subject that is another one"
}
is "$(count other redirected/more)" 0 "no page is fetched from elsewhere"

for kind in control forever endless; do
	chosen || continue
	oci_registry "catalog-$kind" --hostile "catalog-$kind"
	peak timeout 120 "$THIMBLE" search --limit 50 "$host/r"
	like "$status" '^[01]$' "catalogue, $kind: it ends"
	terse "catalogue, $kind"
done
oci_registry page --hostile ping-html
run sh -c "echo x | '$THIMBLE' login -u a --password-stdin $host"
is "$status" 1 "login to a web page is refused"
like "$err" "web page" "says so"
done_testing
