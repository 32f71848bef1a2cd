#!/bin/sh
# The root file systems of bench/corpus: imported, and each program passes its row's probe under
# `thimble run`, as root and as a user.
#   ROWS    names of rows (default: all); today: one that changes with the date
# The root file systems are kept under ${XDG_CACHE_HOME:-~/.cache}/thimble-test/corpus. Making one
# takes half a minute where TMPDIR is in memory, two on a busy disk.
. "$(dirname "$0")/../lib/tap.sh"
need_root
cp -R "$tests/../bench/corpus" "$T/corpus"
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/thimble-test/corpus
mkdir -p "$cache/tls"
# The certificates that a row's image knows are those its probe serves with.
ln -s "$cache/tls" "$T/corpus/tls"
user=$("$tests/lib/make-user") || exit 1
chmod 711 "$T"

archive() { # ROW: its file in the cache; another recipe has another name
	sum=$(cd "$T/corpus" && cat lib.sh make-rootfs newtls.sh "rows/$1.sh" files/* | cksum)
	echo "$cache/$1_${sum%% *}.tar.zst"
}
make() { # ROW FILE
	STAGE="$T/stage" "$T/corpus/make-rootfs" "$1" "$T/row" && tar -C "$T/row" --sort=name \
		--numeric-owner --xattrs --xattrs-include='*' -I 'zstd -q -1' -cf "$2.new" . &&
		rm -rf --one-file-system "$T/row" && mv "$2.new" "$2"
}
# row-config's JSON as instructions, one a line, for import -c
changes() { # ROW
	"$T/corpus/row-config" "$1" | python3 -c '
import json, sys
c = json.load(sys.stdin)
quote = lambda s: "\"" + "".join("\\" + x if x in "\\\"$" else x for x in s) + "\""
for env in c["Env"]:
    k, v = env.split("=", 1)
    print("ENV %s=%s" % (k, quote(v)))
for key in "WorkingDir", "User":
    if key in c:
        print(key.upper().replace("INGDIR", "DIR"), c[key])
print("ENTRYPOINT", json.dumps(c["Entrypoint"]))'
}
as() { # WHO COMMAND...
	who=$1
	shift
	case $who in
	root) THIMBLE_ROOT="$T/store" "$@" ;;
	user) (cd / && exec setpriv --reuid "$user" --regid "$user" --init-groups \
		env HOME="$T/home" THIMBLE_ROOT="$T/home/store" "$@") ;;
	esac
}
import() { # ROW WHO FILE: reads it from standard input, since the cache is root's
	row=$1 who=$2 file=$3
	changes "$row" >"$T/changes" || return 1
	set --
	while IFS= read -r line; do
		set -- "$@" -c "$line"
	done <"$T/changes"
	as "$who" "$THIMBLE" import "$@" - "$row" <"$file"
}
# The row's own probe, in a network of its own that has what it asks of its peers: a name server
# and a web server on loopback, and every port free for everyone.
probe() { # ROW WHO
	mkdir -p "$T/o"
	rm -f "$T/o"/*
	export tests T user
	# shellcheck disable=SC2016  # for the inner shell
	timeout -k 5 180 unshare --mount --net --pid --ipc --fork --kill-child --mount-proc \
		sh -c '
		ip link set lo up
		echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
		echo "nameserver 127.0.0.1" >"$T/resolv.conf"
		mount --bind "$T/resolv.conf" /etc/resolv.conf
		HERE=$T/corpus NAME=$1 who=$2 O=$T/o
		. "$HERE/lib.sh"
		load_row "$NAME"
		. "$HERE/drive.sh"
		_in() {
			case $who in
			root) exec "$THIMBLE" run --rm "$NAME" ;;
			user) cd / && exec setpriv --reuid "$user" --regid "$user" --init-groups \
				env HOME="$T/home" THIMBLE_ROOT="$T/home/store" "$THIMBLE" run --rm "$NAME" ;;
			esac
		}
		row_probe && exit
		head -v -n 8 "$O"/*
		exit 1' corpus.sh "$1" "$2"
}

mkdir "$T/home"
chown "$user:" "$T/home"
all=$(cd "$T/corpus/rows" && printf '%s ' *.sh | sed 's/\.sh / /g')
case ${ROWS:-all} in
all) ROWS=$all ;;
today)
	# shellcheck disable=SC2086  # a list of words
	set -- $all
	shift $(($(date +%s) / 86400 % $#))
	ROWS=$1 ;;
esac
for row in $ROWS; do
	file=$(archive "$row")
	if [ ! -e "$file" ]; then
		rm -f "$cache/${row}_"*
		ok "$row: made" make "$row" "$file" || continue
	fi
	for who in root user; do
		ok "$row: imported by $who" import "$row" "$who" "$file" || continue
		ok "$row: passes its probe, run by $who" probe "$row" "$who"
		as "$who" "$THIMBLE" rmi "$row" >/dev/null || diag "cannot remove $row"
		as "$who" "$THIMBLE" prune -f >/dev/null 2>&1
	done
done
rm -rf --one-file-system "$T/stage"
done_testing
