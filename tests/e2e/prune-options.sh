#!/bin/sh
# prune, image prune, builder prune: what each takes and leaves, --json, asking first.
. "$(dirname "$0")/../lib/tap.sh"
json() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$T/out" "$1"; }
ok "prune before there is a store" thimble prune -f
like "$out" 'Total reclaimed space: 0B' "there is nothing"
base_image
thimble tag base other
again() { # an image that loses its name, a cache record each time
	printf 'FROM base\nRUN head -c 3000000 /dev/urandom >/x\n' >Dockerfile
	thimble build -q -t it --no-cache . >/dev/null
	thimble build -q -t it --no-cache . >/dev/null
}
untagged() { thimble images -aq -f dangling=true | wc -l; }
cached() { find "$THIMBLE_ROOT/cache" -path '*/step/*' -type f | wc -l; }

again
is "$(untagged)" 1 "an image without a name"
# A terminal is asked, a pipe cannot be.
for verb in prune 'image prune' 'builder prune'; do
	# shellcheck disable=SC2086  # two words
	fails 1 "$verb without -f and a terminal" thimble $verb
	like "$err" 'there is no terminal to ask on' "says so"
	like "$err" '-f does it without asking' "and what to do"
done
fails 1 "an answer that is not yes" sh -c "echo n | script -qec \"'$THIMBLE' prune -a --volumes\" /dev/null"
like "$out" 'all images that are not in use' "what would go is told"
like "$out" 'all volumes that are not in use' "volumes too"
is "$(untagged)" 1 "nothing went"
ok "yes" sh -c "echo y | script -qec \"'$THIMBLE' image prune\" /dev/null"
like "$out" 'all images without a name' "what goes is told"
is "$(untagged)" 0 "it went"

again
ok "image prune -f --json" thimble image prune -f --json
is "$(json '(d["Names"], d["CacheRecords"], d["Volumes"])')" "(0, 0, 0)" "takes no name, no cache"
is "$(untagged)" 0 "only what has no name"
ok "the others run" thimble run it true
before=$(cached)
isnt "$before" 0 "the cache has records"
ok "builder prune -f --json" thimble builder prune -f --json
is "$(json 'd["CacheRecords"] > 0')" True "the cache goes"
is "$(cached)" 0 "all of it"
ok "the image stays" thimble run it test -s /x
again
ok "prune -f --json" thimble prune -f --json
is "$(json '(d["CacheRecords"] > 0, d["Names"], d["SpaceReclaimed"] >= 3000000)')" "(True, 0, True)" "takes both"
is "$(cached) $(untagged)" "0 0" "and leaves neither"
ok "named images stay" thimble run it true

ok "a volume" thimble run -v kept:/v it touch /v/x
ok "prune -f" thimble prune -f
ok "leaves it" test -e "$THIMBLE_ROOT/volumes/kept"
ok "prune --volumes -f --json" thimble prune --volumes -f --json
is "$(json 'd["Volumes"]')" 1 "takes it"
ok "it is gone" test ! -e "$THIMBLE_ROOT/volumes/kept"

again
ok "image prune -a -f" thimble image prune -a -f
like "$out" '^Deleted:$' "tells what went"
is "$(thimble images -aq | wc -l)" 0 "no image is left"
isnt "$(cached)" 0 "the build cache stays, as with docker"
base_image
again
ok "prune -a -f" thimble prune -a -f
is "$(find "$THIMBLE_ROOT/snapshots" "$THIMBLE_ROOT/blobs" -mindepth 1 -type f | wc -l)" 0 "nothing is left"
for later in 'prune --filter x' 'image prune --filter x' 'builder prune --filter x'; do
	# shellcheck disable=SC2086  # words
	fails 2 "$later" thimble $later
	like "$err" 'pruning by time or label comes in a later version' "is refused, not ignored"
done
done_testing
