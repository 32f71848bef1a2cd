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
ok "--debug" thimble --debug version
ok "--no-color" thimble --no-color version
is "$(thimble version | head -c 7)" thimble "version names the program"
done_testing
