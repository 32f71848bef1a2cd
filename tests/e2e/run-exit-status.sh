#!/bin/sh
# Exit statuses as docker run has them.
. "$(dirname "$0")/../lib/tap.sh"
base_image
echo '#!/nosuch/interpreter' >script
echo 'no program' >text
dockerfile <<'D'
FROM base
COPY --chmod=755 script text /
COPY --chmod=644 text /plain
CMD ["/bin/hello"]
D
thimble build -q -t it . >/dev/null 2>&1
ok "0" thimble run --rm it
is "$out" 'Hello, world!' "and its output"
is "$err" '' "and nothing else"
fails 7 "the program's own" thimble run --rm it sh -c 'exit 7'
fails 137 "killed by a signal: 128 and the number" thimble run --rm it sh -c 'kill -KILL $$'
fails 127 "no such program" thimble run --rm it /no/such/program
like "$err" '/no/such/program' "is named"
fails 127 "no such program in PATH" thimble run --rm it nosuchprogram
like "$err" 'nosuchprogram' "is named"
fails 126 "not executable" thimble run --rm it /plain
fails 126 "a directory" thimble run --rm it /etc
fails 127 "an interpreter that is not there" thimble run --rm it /script
like "$err" '/nosuch/interpreter' "is named"
fails 125 "no such image" thimble run --rm nosuchimage
like "$err" 'nosuchimage' "is named"
fails 125 "an unknown flag" thimble run --nosuchflag it
# Its path is told through a pipe that nobody empties yet.
long=$(head -c 100000 /dev/zero | tr '\0' a)
for path in "$long" "/$long"; do
	fails 126 "a program's name of 100000 bytes" timeout -k 1 60 "$THIMBLE" run --rm it "$path"
done
for flag in -d "-p 80:80"; do
	# shellcheck disable=SC2086
	fails 125 "$flag is refused" thimble run $flag it
	like "$err" 'later|not yet|foreground' "with the reason"
done
for verb in ps exec; do
	run thimble $verb it
	isnt "$status" 0 "$verb is refused"
	like "$err" 'later|not yet|containers' "with the reason"
done
done_testing
