#!/bin/sh
# A build that is killed leaves neither processes nor names, and the next one works.
. "$(dirname "$0")/../lib/tap.sh"
base_image
mark=71.$$
printf 'FROM base\nRUN echo first >/first\nRUN sleep %s\n' "$mark" >Dockerfile
for sig in TERM KILL INT; do
	setsid "$THIMBLE" build -q -t it . >log 2>&1 &
	pid=$!
	for _ in $(seq 100); do
		pgrep -f "^sleep $mark" >/dev/null && break
		sleep 0.05
	done
	ok "$sig: the step runs" pgrep -f "^sleep $mark"
	[ $sig = INT ] && kill -TERM $pid || kill -$sig $pid
	wait $pid 2>/dev/null
	isnt "$?" 0 "$sig: the build ends"
	for _ in $(seq 60); do
		pgrep -f "^sleep $mark" >/dev/null || break
		sleep 0.05
	done
	is "$(pgrep -f "^sleep $mark")" "" "$sig: the step too"
	unlike "$(thimble images)" '^it .*[0-9a-f]{12}' "$sig: no image"
done
printf 'FROM base\nRUN echo first >/first\nCMD ["cat","/first"]\n' >Dockerfile
ok "the next build works" thimble build -q -t it .
is "$(thimble run --rm it)" first "and its image"
done_testing
