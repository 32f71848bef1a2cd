#!/bin/sh
# Signals are forwarded, orphans reaped, and nothing is left when we are killed.
. "$(dirname "$0")/../lib/tap.sh"
base_image
start() { # SCRIPT: in the background, until it said "ready"
	"$THIMBLE" run --rm base sh -c "$1" >log 2>&1 &
	pid=$!
	for _ in $(seq 100); do
		grep -q ready log && return
		sleep 0.05
	done
	diag "never ready"; diag_file log
}
start 'trap "echo got TERM; exit 5" TERM; echo ready; while :; do sleep 0.1; done'
kill -TERM $pid
wait $pid
is "$?" 5 "TERM reaches the program, its status comes back"
like "$(cat log)" 'got TERM' "the trap ran"
start 'trap "echo got HUP; exit 6" HUP; echo ready; while :; do sleep 0.1; done'
kill -HUP $pid
wait $pid
is "$?" 6 "HUP too"
start 'echo ready; sleep 1000'
kill -TERM $pid
wait $pid
is "$?" 143 "a program without a handler is ended by TERM"
mark=31.$$
start "echo ready; sleep $mark"
kill -KILL $pid
wait $pid 2>/dev/null
for _ in $(seq 40); do
	pgrep -f "sleep $mark" >/dev/null || break
	sleep 0.05
done
is "$(pgrep -f "sleep $mark")" "" "nothing runs on when thimble is killed"
is "$(thimble run --rm base sh -c '(sleep 0.1 &); sleep 0.4; grep -l "^State:.Z" /proc/[0-9]*/status')" "" \
	"orphans are reaped"
done_testing
