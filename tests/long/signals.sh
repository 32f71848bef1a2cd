#!/bin/sh
# SIGINT, SIGTERM and SIGHUP of build, run, import, load and save, also typed at a terminal: the
# status is 128 and the signal's number, and nothing is left: no process, no half-made file, no
# image, no lease; the terminal is as it was.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/long.sh"
base_image
mkdir b
dd if=/dev/urandom of=b/big bs=1M count=60 2>/dev/null
mark=73.$$
printf 'FROM base AS a\nRUN sleep %s\nFROM base\nRUN sleep %s\nCOPY --from=a / /\n' $mark $mark >b/Dockerfile
before=$(thimble images -a --format "{{.Repository}}:{{.Tag}} {{.ID}}")

nothing_left() { # WHAT
	for _ in $(seq 100); do
		pgrep -f "^sleep $mark" >/dev/null || break
		sleep 0.02
	done
	is "$(pgrep -f "^sleep $mark")" "" "$1: no process"
	is "$(left_over)" "" "$1: nothing half-made, no lease"
	is "$(thimble images -a --format "{{.Repository}}:{{.Tag}} {{.ID}}")" "$before" "$1: the images are as they were"
}
runs() { # waits for the program
	for _ in $(seq 200); do
		pgrep -f "^sleep $mark" >/dev/null && return
		sleep 0.02
	done
	return 1
}
# An interactive shell's children do not ignore SIGINT; those of `sh -c 'x &'` do, so python starts it.
start() {
	python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.setsid()
os.execv(sys.argv[1], sys.argv[1:])' "$THIMBLE" "$@" >log 2>&1 </dev/null &
	pid=$!
	begun
}
begun() { # python is python no more
	for _ in $(seq 300); do
		[ "$(cat /proc/$pid/comm 2>/dev/null)" = "$(basename "$THIMBLE")" ] && return
		sleep 0.01
	done
}

for sig in INT:130 TERM:143 HUP:129; do
	want=${sig#*:} sig=${sig%:*}
	start build -q -t it b
	ok "$sig build: the step runs" runs
	kill -"$sig" $pid
	wait $pid
	is "$?" "$want" "$sig build: the status is $want"
	nothing_left "$sig build"
	# to the whole group, as a terminal does
	start build -q -t it b
	ok "$sig build, all processes: the step runs" runs
	kill -"$sig" -$pid
	wait $pid
	is "$?" "$want" "$sig build, all processes: the status is $want"
	nothing_left "$sig build, all processes"
done

# While files are read, before any step.
printf 'FROM scratch\nCOPY big /\nCOPY big /2\n' >b/Dockerfile
for pause in 0.005 0.02 0.05 0.1; do
	start build -q -t it b
	sleep $pause
	kill -INT $pid
	wait $pid
	got=$?
	ok "INT after $pause s of reading: the status is 130, or it was done ($got)" \
		sh -c "[ $got = 130 ] || [ $got = 0 ]"
	[ $got = 0 ] && thimble rmi it >/dev/null && thimble prune -f >/dev/null
	nothing_left "INT after $pause s"
done

# run: the program gets the signal. As pid 1 has no default action, docker's status is the program's.
for sig in INT:130 TERM:143 HUP:129; do
	want=${sig#*:} sig=${sig%:*}
	start run --rm base sleep $mark
	ok "$sig run: it runs" runs
	kill -"$sig" $pid
	wait $pid
	is "$?" "$want" "$sig run: the status is $want"
	nothing_left "$sig run"
done

# import, load and save from and to a pipe that stays open, so that they are in the middle of it.
tar -cf big.tar b/big
mkfifo pipe
for sig in INT:130 TERM:143; do
	want=${sig#*:} sig=${sig%:*}
	for cmd in "import - x" "load"; do
		(cat big.tar | head -c 30000000; sleep 2) >pipe &
		feeder=$!
		# shellcheck disable=SC2086  # a command and its words
		python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$THIMBLE" $cmd >log 2>&1 <pipe &
		pid=$!
		begun
		sleep 0.3
		kill -"$sig" $pid
		wait $pid
		is "$?" "$want" "$sig $cmd: the status is $want"
		wait $feeder
		nothing_left "$sig $cmd"
	done
done
mkdir out
printf 'FROM scratch\nCOPY big /\n' >b/Dockerfile
thimble build -q -t big b >/dev/null
before=$(thimble images -a --format "{{.Repository}}:{{.Tag}} {{.ID}}")
start save -o out/big.tar big
sleep 0.1
kill -INT $pid
wait $pid
is "$?" 130 "INT save: the status is 130"
is "$(ls -A out)" "" "INT save: no file"
nothing_left "INT save"

# A second signal ends it at once, whatever it does; the next command sweeps.
printf 'FROM base\nRUN sleep %s\n' $mark >b/Dockerfile
start build -q -t it b
ok "two signals: the step runs" runs
kill -TERM $pid; kill -TERM $pid
wait $pid
is "$?" 143 "two signals: the status is 143"
thimble run --rm base true
nothing_left "two signals"

# At a terminal: ^C is typed; afterwards it has the modes it had.
ok "^C at a terminal" "$tests/long/typed.py" $mark
sed 's/^/# /' "$T/out"
nothing_left "^C at a terminal"
done_testing
