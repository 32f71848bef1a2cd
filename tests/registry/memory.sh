#!/bin/sh
# Memory of pull, push and copy does not grow with the layers: 64 MiB and 8 MiB a transfer, of which
# there are four.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
registry plain
plain=$host
registry two
two=$host
mkdir ctx
# Half of each compresses well.
for part in a b c d; do
	{ head -c 24000000 /dev/urandom; head -c 40000000 /dev/zero | tr '\0' x; } >ctx/$part
done
printf 'FROM scratch\nCOPY a /\nCOPY b /\nCOPY c /\nCOPY d /\n' >ctx/Dockerfile
ok "an image of 256 MB" thimble build -q -t large ctx
few() { # DESCRIPTION COMMAND...
	what=$1
	shift
	peak "$@"
	is "$status" 0 "$what" || diag_file "$T/err"
	is "$((peak < (64 + 4 * 8) * 1024))" 1 "$what: with little memory ($peak KiB)"
}
few "push with gzip" "$THIMBLE" push large "$plain/large:gzip"
few "push with zstd" "$THIMBLE" push --compression zstd large "$plain/large:zstd"
few "pull of gzip" "$THIMBLE" --root "$T/a" pull "$plain/large:gzip"
few "pull of zstd" "$THIMBLE" --root "$T/b" pull "$plain/large:zstd"
few "copy" "$THIMBLE" copy "docker://$plain/large:gzip" "docker://$two/large:1"
few "copy with another compression" "$THIMBLE" copy --compression zstd "docker://$plain/large:gzip" "docker://$two/large:2"
few "save to an archive" "$THIMBLE" copy "docker://$plain/large:zstd" oci-archive:large.tar
done_testing
