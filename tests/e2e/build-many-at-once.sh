#!/bin/sh
# Eight builds at once in one store are a normal day, with a collection in between.
. "$(dirname "$0")/../lib/tap.sh"
base_image
for i in 1 2 3 4 5 6 7 8; do
	mkdir "c$i"
	echo "$i" >"c$i/file"
	printf 'FROM base\nRUN echo shared >/shared\nCOPY file /file\nRUN sleep 0.2 && cp /file /copy\n' \
		>"c$i/Dockerfile"
done
pids=
for i in 1 2 3 4 5 6 7 8; do
	thimble build -q -t "it:$i" "c$i" >"log$i" 2>&1 &
	pids="$pids $!"
done
thimble prune -f >log-prune 2>&1 &
prune=$!
bad=0
for pid in $pids; do
	wait "$pid" || bad=$((bad + 1))
done
wait $prune
is "$?" 0 "prune during it"
is "$bad" 0 "all eight end well"
[ "$bad" = 0 ] || cat log* | sed 's/^/# /'
for i in 1 2 3 4 5 6 7 8; do
	is "$(thimble run --rm "it:$i" cat /copy)" "$i" "it:$i is its own"
done
is "$(ls "$THIMBLE_ROOT/tmp" | wc -l)" 0 "nothing half-made is left"
done_testing
