#!/bin/sh
# Every flag that --help tells of is given to its command by some script under tests/. (Whether the
# script would miss it is told by `tests/lib/flags prove`, which takes many minutes.)
. "$(dirname "$0")/../lib/tap.sh"
ok "no flag is without a test" "$TOP/tests/lib/flags" missing "$THIMBLE"
done_testing
