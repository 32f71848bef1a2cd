#!/bin/sh
# What push and save compress is one gzip member that every reader takes, the same on any number of
# processors: zlib (through Python, which tells where a member ends), gzip, ISA-L, pigz, Go.
. "$(dirname "$0")/../lib/tap.sh"

# Several pieces of a MiB, some that can be compressed and some that cannot, and an end that is none.
mkdir ctx
python3 - ctx <<'PY'
import random, sys
top, r = sys.argv[1], random.Random(5)
words = [bytes(r.choices(range(97, 123), k=r.randint(2, 9))) for _ in range(3000)]
open(f'{top}/text', 'wb').write(b' '.join(r.choices(words, k=700000)))
open(f'{top}/noise', 'wb').write(r.randbytes(3300001))
open(f'{top}/zeros', 'wb').write(bytes(5000000))
open(f'{top}/one', 'wb').write(b'x')
PY
printf 'FROM scratch\nCOPY . /\n' >ctx/Dockerfile
printf 'FROM scratch\nCOPY one /\n' >ctx/small.Dockerfile
ok "an image of 13 MB" thimble build -q -t big ctx
ok "an image of one byte" thimble build -q -t small -f ctx/small.Dockerfile ctx
for image in big small; do
	ok "$image is saved plain" thimble save --format oci-dir --compression none -o "$image.plain" "$image"
	ok "$image is saved with gzip" thimble save --format oci-dir --compression gzip -o "$image.gzip" "$image"
	python3 - "$image.plain" "$image.gzip" >"$image.paths" <<'PY'
import json, sys
for d in sys.argv[1:]:
    blob = lambda g: f'{d}/blobs/{g.replace(":", "/")}'
    m = json.load(open(blob(json.load(open(f'{d}/index.json'))['manifests'][0]['digest'])))
    print(blob(m['layers'][0]['digest']))
PY
	plain=$(sed -n 1p "$image.paths") packed=$(sed -n 2p "$image.paths")
	want=$(sha256sum <"$plain")
	is "$(python3 -c '
import hashlib, sys, zlib
d = zlib.decompressobj(31)
out = d.decompress(open(sys.argv[1], "rb").read())
assert d.eof and not d.unused_data, "more than one member"
print(hashlib.sha256(out).hexdigest(), " -")' "$packed" 2>&1)" "$want" "$image: zlib reads one member and nothing behind it"
	is "$(gzip -dc <"$packed" | sha256sum)" "$want" "$image: gzip"
	is "$(pigz -dc <"$packed" | sha256sum)" "$want" "$image: pigz"
	is "$(igzip -dc <"$packed" | sha256sum)" "$want" "$image: ISA-L"
	is "$(python3 -c 'import gzip, sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())' "$packed" |
		sha256sum)" "$want" "$image: Python's gzip"
	ok "$image: Go's, by skopeo" skopeo copy -q --dest-decompress "oci:$image.gzip" "dir:$image.go"
	ok "$image: finds the same bytes" test -e "$image.go/${want%% *}"
	ok "$image: one processor" taskset -c 0 "$THIMBLE" --root "$T/store" save --format oci-dir --compression gzip \
		-o "$image.one" "$image"
	is "$(cd "$image.one/blobs/sha256" && echo *)" "$(cd "$image.gzip/blobs/sha256" && echo *)" \
		"$image: makes the same bytes"
done
done_testing
