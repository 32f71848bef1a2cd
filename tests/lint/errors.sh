#!/bin/sh
# tests/errors.unseen names texts that are in the code, each with a reason. (Whether all others are
# seen is told by `make coverage`, which takes minutes.)
. "$(dirname "$0")/../lib/tap.sh"
cd "$TOP" || exit 1
ok "every line is a text of an error in the code, once, below a reason" tests/coverage/report --check
done_testing
