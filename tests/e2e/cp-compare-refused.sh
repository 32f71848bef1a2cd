#!/bin/sh
# What cp, compare, tag and completion refuse.
. "$(dirname "$0")/../lib/tap.sh"
base_image
printf 'FROM base\nRUN mkdir /many /void && cd /many && touch aa bb cc dd ee && ln -s /nowhere /many/dangling\n' >Dockerfile
thimble build -q -t it . >/dev/null
no() { # STATUS REGEX ARG...
	no_status=$1 no_re=$2
	shift 2
	fails "$no_status" "$*" thimble "$@"
	like "$err" "$no_re" "says so"
}
no 2 "'it' is not IMAGE:PATH" cp it x
like "$err" 'for example hello:gcc:/etc/passwd' "with an example"
no 2 'an image cannot be copied into' cp - it:/x
no 1 "write 'nosuch:latest:/PATH' if 'nosuch:latest' is the image" cp nosuch:latest x
no 1 "cannot copy from 'nosuch'" cp nosuch:/x x
no 1 "there is no '/many/zzzzzzzz' in the image" cp it:/many/zzzzzzzz x
like "$err" '/many holds aa bb cc dangling dd ee' "and what is there"
no 1 "did you mean '/many/dangling'" cp it:/many/danglin x
no 1 'nowhere|dangling' cp -L it:/many/dangling x
no 1 'empty word|DEST' cp it:/many ''
fails 1 "a tar for a terminal" script -qec "'$THIMBLE' cp it:/many -" /dev/null
like "$out" 'a tar would go to the terminal' "says so"
like "$out" 'send it somewhere' "and what to do"
mkdir -p here/many/aa
no 1 "is a directory here and no directory in the image" cp it:/many here
# -a keeps what belongs to the image.
printf 'FROM base\nRUN touch /f && chown 7:8 /f && chmod 4711 /f\n' >Dockerfile
thimble build -q -t owned . >/dev/null
ok "cp" thimble cp owned:/f plain
is "$(stat -c %a plain)" 711 "drops setuid"
ok "cp -a" thimble cp -a owned:/f kept
is "$(stat -c %a kept)" 4711 "-a keeps it"
if [ "$(id -u)" = 0 ]; then
	is "$(stat -c %u:%g kept) $(stat -c %u:%g plain)" "7:8 0:0" "-a keeps owners"
else
	isnt "$(stat -c %u kept)" "$(id -u)" "-a keeps owners, as subordinate ids"
fi
printf 'FROM base\nCMD ["sh", "-c", "sleep 4; exit 3"]\n' >Dockerfile
thimble build -q -t slow . >/dev/null
ok "compare --for: what still runs then works" thimble compare --fail --for 500ms slow
fails 1 "with more time its end is seen" thimble compare --fail --for 30s slow
no 2 "--for wants a time like 5s or 500ms, at most 24h, not 'soon'" compare --for soon it
no 2 'at most 24h' compare --for 25h it
no 1 "'\[a' is no valid pattern" compare '[a'
no 1 "no image has a name like 'x\*'" compare 'x*'
no 1 "nosuch" compare nosuch
no 2 "there is no completion for 'ksh'" completion ksh
like "$err" 'one of bash, zsh, fish' "with what there is"
no 2 'nosuch' help nosuch
no 2 "did you mean 'image'" imagse
done_testing
