# SPDX-License-Identifier: Apache-2.0
# What a row's row_probe drives its program with. POSIX sh; sourced by `probe`, and by
# tests/real/corpus.sh, which runs an image instead of a directory. The one who sources it sets
#   O       a directory for what the program writes
#   NAME    of the row
# and defines _in ARGV...: become the program.
MODE=run
entry() {
	case $MODE in
	run) ( _in "$@" ) >"$O/out" 2>"$O/err" </dev/null; RC=$?;;
	bg) ( _in "$@" ) >"$O/out" 2>"$O/err" </dev/null & PID=$!;;
	esac
}
note() { echo "probe $NAME: $*" >&2; }
run() { MODE=run; row_entry; }
start() { MODE="bg"; row_entry; }
stop() { kill -"${1:-TERM}" "$PID" 2>/dev/null; wait "$PID"; RC=$?; }
alive() { kill -0 "$PID" 2>/dev/null; }
rc0() { [ "$RC" = 0 ] || { note "exit status $RC"; return 1; }; }
out() { grep -q -e "$1" "$O/out" || { note "output lacks: $1"; return 1; }; }
outerr() { cat "$O/out" "$O/err" | grep -q -e "$1" || { note "output lacks: $1"; return 1; }; }
bg() { "$@" </dev/null >/dev/null 2>&1 & }
dns_up() { bg perl "$HERE/files/helper.pl" dns; }
tls_up() { ( cd "$HERE/tls" && echo probe-page-ok >"$O/index.txt" && cd "$O" && exec openssl s_server -quiet -accept 8443 -WWW \
	-cert "$HERE/tls/server.crt" -key "$HERE/tls/server.key" ) </dev/null >/dev/null 2>&1 & }
http() { perl "$HERE/files/helper.pl" http "$@" >"$O/reply"; }
tcp() { perl "$HERE/files/helper.pl" tcp "$@" >"$O/reply"; }
reply() { grep -aq -e "$1" "$O/reply" || { note "reply lacks: $1"; return 1; }; }
wait_port() { perl "$HERE/files/helper.pl" wait "$1" "${2:-20}" || { note "port $1 never opened"; return 1; }; }
