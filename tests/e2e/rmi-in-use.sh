#!/bin/sh
# rmi leaves an image alone that a run is using; -f takes its name.
. "$(dirname "$0")/../lib/tap.sh"
base_image
"$THIMBLE" run base sh -c 'echo started; sleep 60' >started 2>/dev/null &
runner=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	[ -s started ] && break
	sleep 0.2
done
is "$(cat started)" started "it runs"
fails 1 "rmi" thimble rmi base
like "$err" 'in use' "says why"
like "$(thimble images -q base)" '^[0-9a-f]{12}$' "the image is still there"
ok "another name is no matter" sh -c '"$THIMBLE" tag base other && "$THIMBLE" rmi other'
ok "rmi -f" thimble rmi -f base
is "$(thimble images -q base)" '' "the name is gone"
ok "prune meanwhile" thimble prune -a -f
ok "it still runs" kill -0 $runner
kill $runner
wait $runner
ok "prune" thimble prune -a -f
is "$(ls "$THIMBLE_ROOT/snapshots")" '' "and the image is gone after it"
fails 1 "-f forgives only what is not there" sh -c '"$THIMBLE" rmi -f nosuch && "$THIMBLE" rmi nosuch'
done_testing
