#!/bin/sh
# The ladder of examples/minimage, in a store of its own: what each Dockerfile says of itself
# ("# expect: …") is what compare finds.
. "$(dirname "$0")/../lib/tap.sh"
minimage=$tests/../examples/minimage
ok "the demo" "$minimage/demo" --thimble "$THIMBLE"
sed 's/^/# /' "$T/out"

set --
for file in "$minimage"/Dockerfile.*; do
	set -- "$@" "minimage:${file##*/Dockerfile.}"
done
ok "compare --json" thimble compare --json "$@"
cp "$T/out" rows.json
for file in "$minimage"/Dockerfile.*; do
	variant=${file##*/Dockerfile.}
	want=$(sed -n 's/^# expect: //p' "$file")
	got=$(python3 -c '
import json, sys
row, = [r for r in json.load(open("rows.json")) if r["Name"] == sys.argv[1]]
print(row["State"])' "minimage:$variant")
	is "$got" "$want" "$variant: $want"
done

# The shape of the article's ladder: each rung is a good deal smaller than the one before.
size() { thimble inspect --format '{{.Size}}' "minimage:$1"; }
smaller() { # TIMES BIG SMALL
	ok "$3 is $1 times smaller than $2" test "$(size "$2")" -gt $(($1 * $(size "$3")))
}
smaller 2 hello.gcc hello.gcc.debian
smaller 20 hello.gcc.debian hello-static.gcc.busybox
smaller 2 hello-static.gcc.busybox hello-static.gcc.scratch
smaller 8 hello-static.gcc.scratch hello-musl-static.gcc.scratch
smaller 3 go.golang go-workdir.golang.debian
smaller 50 go-workdir.golang.debian go.golang.scratch

start=$(date +%s)
ok "the demo again" "$minimage/demo" --thimble "$THIMBLE"
ok "in under ten seconds" test $(($(date +%s) - start)) -lt 10
done_testing
