#!/bin/sh
# A Dockerfile or a tar on standard input, -f -, and the names a Dockerfile is found under.
. "$(dirname "$0")/../lib/tap.sh"
base_image
ok "a Dockerfile on standard input" \
	sh -c 'printf "FROM base\nRUN echo stdin >/from\n" | "$THIMBLE" build -q -t it -'
is "$(thimble run --rm it cat /from)" stdin "was built"
ok "-f - with a directory" sh -c '
	echo context >file
	printf "FROM base\nCOPY file /from\n" | "$THIMBLE" build -q -t it -f - .'
is "$(thimble run --rm it cat /from)" context "has its context"
mkdir tar && echo intar >tar/file && printf 'FROM base\nCOPY file /from\n' >tar/Dockerfile
ok "a tar on standard input" sh -c 'tar -C tar -cf - . | "$THIMBLE" build -q -t it -'
is "$(thimble run --rm it cat /from)" intar "was built"
ok "a gzipped tar" sh -c 'tar -C tar -czf - . | "$THIMBLE" build -q -t it2 -'
is "$(thimble run --rm it2 cat /from)" intar "was built"
fails 1 "COPY without a context" sh -c 'printf "FROM base\nCOPY file /x\n" | "$THIMBLE" build -q -'
like "$err" 'context' "says that there is none"

for name in Containerfile dockerfile Dockerfile; do
	printf 'FROM base\nRUN echo %s >/from\n' "$name" >"$name"
	thimble build -q -t it . >/dev/null 2>&1
	is "$(thimble run --rm it cat /from)" "$name" "$name is found, before those tried earlier here"
done
mkdir sub && printf 'FROM base\nRUN echo sub >/from\n' >sub/other
ok "-f PATH" thimble build -q -t it -f sub/other .
is "$(thimble run --rm it cat /from)" sub "was read"
for spelling in "buildx build" "image build"; do
	# shellcheck disable=SC2086  # two words
	ok "thimble $spelling" thimble $spelling -q -t it .
done
mkdir empty
fails 1 "no Dockerfile" thimble build empty
like "$err" 'Dockerfile' "names what it looked for"
done_testing
