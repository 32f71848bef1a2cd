#!/bin/sh
# gcc and clang both compile everything without a warning; `make install` honours PREFIX, DESTDIR.
. "$(dirname "$0")/../lib/tap.sh"
# gcc finds some only when it optimises, clang finds all without.
for with in gcc:2 clang:0; do
	cc=${with%:*}
	ok "$cc: set up" env CC="$cc" meson setup --werror -Doptimization="${with#*:}" "$T/$cc" "$TOP"
	ok "$cc: no warnings" ninja -C "$T/$cc"
done
ok "make install" make -C "$TOP" install BUILD="$T/gcc" PREFIX=/opt/x DESTDIR="$T/dest"
ok "the program runs from there" "$T/dest/opt/x/bin/thimble" version
ok "the manual page came along" sh -c 'ls "$T"/dest/opt/x/share/man/man1/thimble.1*'
ok "bash completion too" test -s "$T/dest/opt/x/share/bash-completion/completions/thimble.bash"
is "$(find "$T/dest" -mindepth 1 -maxdepth 1)" "$T/dest/opt" "nothing beside the prefix"
done_testing
