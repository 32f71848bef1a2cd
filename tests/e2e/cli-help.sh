#!/bin/sh
# --help for each command, wrong words, global options before the verb.
. "$(dirname "$0")/../lib/tap.sh"
ok "--help" thimble --help
commands=$(printf '%s\n' "$out" | sed -n 's/^  *\([a-z][a-z]*\)  .*/\1/p' | sort -u)
for verb in build run images tag rmi inspect history import load save cp prune info version compare; do
	like "$commands" "^$verb\$" "$verb is listed"
	ok "$verb --help" thimble $verb --help
	like "$out" '^[Uu]sage: *thimble '"$verb" "$verb: a synopsis"
done
fails 2 "no command" thimble
fails 2 "an unknown command" thimble imagse
like "$err" "'images?'" "the nearest"
fails 2 "an unknown flag" thimble images --jsno
like "$err" '--json' "the nearest"
fails 2 "a flag that wants a value" thimble build -t
ok "--root before the verb" thimble --root "$T/other" images
base_image
printf 'FROM base\nRUN mkfifo /pipe\n' >Dockerfile
ok "--debug" thimble --debug build -q -o dir .
like "$err" "'pipe' is a device or a pipe: left out" "tells what thimble does"
ok "without it" thimble build -q -o dir2 .
unlike "$err" 'left out' "nothing of that"
esc=$(printf '\033')
fails 1 "an error on a terminal" env -u NO_COLOR TERM=xterm script -qec "'$THIMBLE' rmi nosuch" /dev/null
like "$out" "$esc" "has colours"
fails 1 "--no-color" env -u NO_COLOR TERM=xterm script -qec "'$THIMBLE' --no-color rmi nosuch" /dev/null
unlike "$out" "$esc" "none"
is "$(thimble version | head -c 7)" thimble "version names the program"
done_testing
