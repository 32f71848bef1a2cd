#!/bin/sh
# gcc and clang both compile everything without a warning.
. "$(dirname "$0")/../lib/tap.sh"
for cc in gcc clang; do
	ok "$cc: set up" env CC=$cc meson setup --werror "$T/$cc" "$TOP"
	ok "$cc: no warnings" ninja -C "$T/$cc"
done
done_testing
