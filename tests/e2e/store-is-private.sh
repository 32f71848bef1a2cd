#!/bin/sh
# A store that others could reach into, or that is another's, is refused.
. "$(dirname "$0")/../lib/tap.sh"
base_image
is "$(stat -c %a "$THIMBLE_ROOT")" 700 "a store is made 0700"
chmod 755 "$THIMBLE_ROOT"
fails 1 "0755 is refused" thimble images
like "$err" 'chmod|0?700' "with the way out"
chmod 700 "$THIMBLE_ROOT"
ok "0700 again" thimble images
mkdir notastore && echo x >notastore/file && chmod 700 notastore
run thimble --root "$PWD/notastore" build -q -t x - <<'D'
FROM scratch
D
isnt "$status" 0 "a directory full of other things is no store"
is "$(ls notastore)" file "and stays as it is"
run thimble --root /proc/nosuch/store images
like "$status" '^[01]$' "a store that cannot be made"
if [ "$(id -u)" = 0 ]; then
	mkdir "$T/theirs" && chmod 700 "$T/theirs" && chown 12345 "$T/theirs"
	fails 1 "another user's" thimble --root "$T/theirs" images
	like "$err" '12345|owner|own' "says so"
else
	skip "needs root" "another user's store"
fi
done_testing
