#!/bin/sh
# What the shells are told may come next, and the scripts for bash, zsh and fish that ask for it.
. "$(dirname "$0")/../lib/tap.sh"
base_image
ok "an image" thimble tag base quay.io/team/app:one

# next WORD...: what may stand in the place of the last word; the help beside it left out
next() { thimble __complete -- "$@" | cut -f 1 | tr '\n' ' '; }
offers=$(next '')
for first in $(thimble __commands | sed 's/[ \t].*//' | sort -u); do
	case $first in __*) ;; *) like " $offers" " $first " "$first is offered" ;; esac
done
unlike "$offers" '__' "nothing hidden"
is "$(next bu)" "build builder buildx : " "a beginning"
is "$(next manifest c)" "create : " "a second word"
like "$(next image '')" '(^| )ls .*rm ' "docker's groups"
is "$(next --r)" "--root : " "global options"
is "$(next --root "$THIMBLE_ROOT" build --target x --build-c)" "--build-context : " "behind a global option"
like "$(next images -)" '--quiet .*--help : ' "all options"
is "$(next build --progress '')" "auto plain tty quiet : " "values of a choice"
is "$(next build --progress p)" "plain : " "that begin so"
is "$(next build -f '')" ":files " "a file"
is "$(next build '')" ":dirs " "a directory"
is "$(next build --build-context a= '')" ":dirs " "behind an option with its value"
is "$(next run b)" "base:latest : " "an image"
is "$(next run quay)" "quay.io/team/app:one : " "with its registry"
is "$(next --root "$T/empty" run '')" ": " "none in an empty store"
is "$(next cp '')" "base:latest quay.io/team/app:one :files " "an image or a path"
is "$(next completion '')" "bash zsh fish : " "a shell"
is "$(next help hi)" "history : " "of what there is help"
is "$(next nosuch '')" ": " "nothing for an unknown command"
esc=$(printf '\033')
unlike "$(thimble __complete -- '')" "$esc" "no colours"

# The scripts, by their shells. (bash)
mkdir bin
ln -s "$THIMBLE" bin/thimble
PATH=$PWD/bin:$PATH
cat >ask.bash <<'B'
eval "$(thimble completion bash)"
COMP_WORDS=(thimble "$@") COMP_CWORD=$#
compopt() { :; }
_thimble
printf '%s ' "${COMPREPLY[@]}"
B
is "$(bash ask.bash bu)" "build builder buildx " "bash: a command"
is "$(bash ask.bash run quay)" "quay.io/team/app:one " "bash: an image"
mkdir context
: >contents
is "$(bash ask.bash build con)" "context " "bash: a directory"
is "$(bash ask.bash build -f con | tr ' ' '\n' | sort | xargs)" "contents context" "bash: a file"
ok "zsh: the script is well-formed" sh -c 'thimble completion zsh | zsh -n'
cat >ask.zsh <<'Z'
words=(thimble "$@") CURRENT=$(($# + 1))
_describe() { print -r -- ${(P)2}; }
_files() { print -r -- files "$@"; }
compdef() { :; }
eval "$(thimble completion zsh)"
_thimble
Z
is "$(zsh -f ask.zsh run quay)" 'quay.io/team/app\:one:' "zsh: an image"
like "$(zsh -f ask.zsh bu)" '^build:build an image' "zsh: a command and what it does"
is "$(zsh -f ask.zsh build -f con)" 'files' "zsh: a file"
is "$(zsh -f ask.zsh build con)" 'files -/' "zsh: a directory"
ask_fish() { fish --no-config -c 'thimble completion fish | source; complete -C "$argv"' "$1" | tr '\t\n' '  '; }
is "$(ask_fish 'thimble run quay')" "quay.io/team/app:one " "fish: an image"
like "$(ask_fish 'thimble bu')" '^build build an image' "fish: a command and what it does"
is "$(ask_fish 'thimble build con')" "context/ Directory " "fish: a directory, no file"
done_testing
