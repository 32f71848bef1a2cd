#!/bin/sh
# Many commands at once in one store: no failure that one alone would not have, shared work is done
# once or twice and never eight times, nothing waits for ever, and nothing is left at the end.
#   SIDE_TIME   seconds of the mixture (default 10)
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/long.sh"
base_image
SIDE_TIME=${SIDE_TIME:-10}

# Eight of the same, begun at one moment. What a step writes is shown by the build that ran it.
for round in 1 2 3; do
	mkdir -p same
	printf 'FROM base\nRUN echo ran-this-step %s && sleep 0.3\nCOPY f /f\nRUN echo ran-that-step && sleep 0.2\n' \
		$round >same/Dockerfile
	echo $round >same/f
	pids='' bad=0
	for i in 1 2 3 4 5 6 7 8; do
		timeout -k 5 60 "$THIMBLE" build --progress plain -t "same:$i" same >"log$i" 2>&1 </dev/null &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid" || bad=$((bad + 1)); done
	is "$bad" 0 "round $round: eight equal builds end well"
	[ $bad = 0 ] || sed 's/^/# /' log*
	for step in this that; do
		n=$(cat log* | grep -c "ran-$step-step\$\|ran-$step-step $round\$")
		ok "round $round: $step step ran once or twice ($n)" sh -c "[ $n -ge 1 ] && [ $n -le 2 ]"
	done
	is "$(thimble images -q --no-trunc same | sort -u | wc -l)" 1 "round $round: one image"
done

# One that fails fails in all, and not one after the other.
printf 'FROM base\nRUN echo fail && sleep 0.5 && false\n' >same/Dockerfile
pids='' good=0
start=$(date +%s%N)
for i in 1 2 3 4 5 6 7 8; do
	timeout -k 5 60 "$THIMBLE" build -q same >/dev/null 2>&1 </dev/null &
	pids="$pids $!"
done
for pid in $pids; do wait "$pid" && good=$((good + 1)); done
took=$((($(date +%s%N) - start) / 1000000))
is "$good" 0 "a step that fails fails in all eight"
ok "and they do not fail one after the other ($took ms)" [ $took -lt 3000 ]

# A stopped build (^Z) holds nobody up; nor does one that is killed.
printf 'FROM base\nRUN sleep 1 && echo done >/done\n' >same/Dockerfile
"$THIMBLE" build -q same >/dev/null 2>&1 </dev/null &
stopped=$!
sleep 0.3
pkill -STOP -P $stopped
kill -STOP $stopped
ok "another build beside a stopped one" timeout -k 5 20 "$THIMBLE" build -q -t other same
kill -CONT $stopped
pkill -CONT -P $stopped
wait $stopped
is "$?" 0 "the stopped one goes on"

"$tests/long/side_by_side.py" "$SIDE_TIME" "$(rootfs_tar)" >mixture 2>&1
is "$?" 0 "$SIDE_TIME seconds of builds, runs, saves, loads, lists and prunes"
sed 's/^/# /' mixture
for i in 1 2 3 4 5; do
	ok "own:$i runs" thimble run --rm "own:$i" cat /n
done
ok "one more of anything" thimble run --rm base true
is "$(left_over)" "" "nothing half-made is left, and no lease"
done_testing
