#!/bin/sh
# What is saved of an image, and what a build writes down, does not depend on which other images came
# into the store meanwhile: here the same layers, compressed by somebody else.
. "$(dirname "$0")/../lib/tap.sh"
base_image
printf 'FROM base\nRUN seq 20000 >/numbers\n' >below
printf 'FROM below\nRUN echo above >/above\n' >above
thimble build -q -t below -f below . >/dev/null
thimble build -q -t above -f above . >/dev/null
manifest() { sed -n 's/^manifest //p' "$THIMBLE_ROOT/names/docker.io/library/$1/=latest"; }
save_all() { # PREFIX
	thimble save -o "$1-gzip" above
	thimble save --compression zstd -o "$1-zstd" above
	thimble save --compression none -o "$1-none" above
	thimble save --format docker -o "$1-docker" above
}
save_all first
was=$(manifest above)

ok "the layers below, with zstd" thimble save --compression zstd -o below.tar below
ok "come back" thimble load -i below.tar
save_all second
for how in gzip zstd none docker; do
	ok "$how: the same bytes as before" cmp first-$how second-$how
done
ok "built again from the cache" thimble build -q -t above -f above .
is "$(manifest above)" "$was" "the manifest is the same"
ok "what came is saved as it came" thimble save --compression gzip -o again.tar below
ok "(the same bytes)" sh -c 'tar -xOf below.tar index.json | grep -o "sha256:[0-9a-f]*" >a
	tar -xOf again.tar index.json | grep -o "sha256:[0-9a-f]*" >b && cmp a b'
ok "rmi" thimble rmi below
ok "prune" thimble prune -f
save_all third
for how in gzip zstd none docker; do
	ok "$how: and when it is gone again" cmp first-$how third-$how
done
is "$(thimble run --rm above tail -n 1 /numbers)" 20000 "it runs"
done_testing
