#!/bin/sh
# A pull that is killed or interrupted leaves a whole store, and the next one works; two at once do
# each other no harm.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
base_image
registry plain
faults proxy "$host"
proxy=$host
image data 3000000
contents data >want
rules proxy ''
ok "pushed" thimble push data "$proxy/data:1"
forget data "$proxy/data:1"

ours() { pgrep -f "pull $proxy/data:1"; }
begun() { # bytes of a layer flow
	for _ in $(seq 200); do
		grep -q 'GET .*/blobs/.* 200 .*' "$servers/proxy/log" && break
		sleep 0.05
	done
	sleep "$1"
}
for signal in KILL KILL KILL TERM INT; do
	for wait in 0 0.4 1; do
		chosen || continue
		what="SIG$signal after $wait s"
		rules proxy 'GET /blobs/ 2- slow rate=1500000'
		# in a process group of its own, and with a SIGINT that is not ignored as in the background
		python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$THIMBLE" pull "$proxy/data:1" >"$T/killed" 2>&1 &
		pid=$!
		begun $wait
		kill -s "$signal" $pid
		wait $pid
		status=$?
		case $signal in
		KILL) is $status 137 "$what: it ends" ;;
		INT) is $status 130 "$what: it ends" ;;
		TERM) is $status 143 "$what: it ends" ;;
		esac
		for _ in $(seq 40); do
			[ -n "$(ours)" ] || break
			sleep 0.05
		done
		is "$(ours)" '' "$what: no process of it is left"
		[ "$signal" = KILL ] || sound "$what"
		run thimble images -q "$proxy/data:1"
		is "$out" '' "$what: there is no such image"
		rules proxy ''
		ok "$what: the next pull works" thimble pull "$proxy/data:1"
		contents "$proxy/data:1" >got
		ok "$what: with the right bytes" cmp want got
		forget "$proxy/data:1"
		sound "$what"
	done
done
ok "what was there before still runs" thimble run --rm base /bin/hello

# Two at once of the same image.
rules proxy 'GET /blobs/ * slow rate=3000000'
"$THIMBLE" pull "$proxy/data:1" >"$T/one" 2>&1 &
one=$!
"$THIMBLE" pull "$proxy/data:1" >"$T/two" 2>&1 &
two=$!
wait $one
is $? 0 "two at once: the one"
wait $two
is $? 0 "two at once: the other"
contents "$proxy/data:1" >got
ok "two at once: the right bytes" cmp want got
sound "two at once"

# A prune in the middle of a pull takes nothing that it needs.
forget "$proxy/data:1"
rules proxy 'GET /blobs/ 2- slow rate=1500000'
"$THIMBLE" pull "$proxy/data:1" >"$T/one" 2>&1 &
one=$!
begun 0.5
ok "prune meanwhile" thimble prune -f
wait $one
is $? 0 "the pull ends well"
contents "$proxy/data:1" >got
ok "with the right bytes" cmp want got
done_testing
