#!/bin/sh
# cp: where things go, as docker cp decides it; and nothing is written outside of DEST.
. "$(dirname "$0")/../lib/tap.sh"
base_image
dockerfile <<'D'
FROM base
RUN mkdir -p /d/sub && echo f >/d/f && ln /d/f /d/hard && ln -s f /d/link && ln -s d /dirlink && \
	chmod 4755 /d/f && echo s >/d/sub/s && chmod 500 /d/sub && mkfifo /d/fifo && touch -d @1000000000 /d
D
thimble build -q -t it . >/dev/null 2>&1
ok "a directory to a new name" thimble cp it:/d new
is "$(cat new/f new/sub/s | tr '\n' ' ')" 'f s ' "its files"
is "$(stat -c %i new/f)" "$(stat -c %i new/hard)" "hard links stay"
is "$(readlink new/link)" f "links stay links"
ok "a fifo" test -p new/fifo
is "$(stat -c '%a %Y' new)" '755 1000000000' "mode and time of the directory"
is "$(stat -c %a new/sub)" 500 "a directory that cannot be written"
is "$(stat -c '%a %u' new/f)" "755 $(id -u)" "no setuid bit, and ours"
ok "into a directory that is there" thimble cp it:/d new
ok "is below its own name" test -f new/d/f
mkdir flat && echo old >flat/f
ok "DIR/. into a directory" thimble cp it:/d/. flat
is "$(cat flat/f)" f "is merged into it"
ok "a link" thimble cp it:/dirlink l
is "$(readlink l)" d "is copied as one"
ok "with -L" thimble cp -L it:/dirlink followed
ok "what it leads to" test -f followed/f
ok "with a / at its end" thimble cp it:/dirlink/ slashed
ok "what it leads to, too" test -f slashed/f
fails 1 "a file to a directory that is not there" thimble cp it:/d/f nosuch/
like "$err" 'nosuch/' "is named"
fails 1 "a file below one that is not there" thimble cp it:/d/f nosuch/f
fails 1 "a directory to a file" thimble cp it:/d flat/f
is "$(cat flat/f)" f "which stays"
mkdir -p conflict/f
fails 1 "a file to where a directory is" thimble cp it:/d/. conflict
ok "which stays" test -d conflict/f
fails 1 "to a device" thimble cp it:/d/f /dev/null
ok "which stays" test -c /dev/null
fails 1 "a file with / at its end" thimble cp it:/d/f/ x
fails 2 "into an image" thimble cp flat it:/x
fails 2 "no PATH" thimble cp it: x

mkdir victim trap && echo mine >victim/s && ln -s "$PWD/victim" trap/sub && ln -s "$PWD/victim/s" trap/f
ok "over links that lead out" thimble cp it:/d/. trap
is "$(cat victim/s) $(ls victim)" 'mine s' "nothing behind them was changed"
ok "they were replaced" test ! -L trap/sub -a ! -L trap/f
echo old >target && ln -s target mylink
ok "to a link of ours" thimble cp it:/d/f mylink
is "$(cat target) $(readlink mylink)" 'f target' "is to what it leads to"
is "$(thimble cp it:/d - | tar -t | head -n 1)" d/ "- : a tar with the name"
is "$(thimble cp it:/d/sub/. - | tar -t)" s "DIR/. - : a tar without it"
is "$(find . -name '.thimble-*' | wc -l)" 0 "nothing half-made is left"
done_testing
