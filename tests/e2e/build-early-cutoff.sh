#!/bin/sh
# A stage that ran again and made the same files does not rerun what copies from it.
. "$(dirname "$0")/../lib/tap.sh"
base_image
echo 1 >input
dockerfile <<'D'
FROM base AS one
COPY input /input
RUN wc -l </input >/lines
FROM base
COPY --from=one /lines /lines
RUN head -c 8 /dev/urandom | od -An -tx1 >/mark
D
ok "builds" thimble build -q -t it .
mark=$(thimble run --rm it cat /mark)
echo 2 >input
ok "builds with other input" thimble build -q -t it .
is "$(thimble run --rm it cat /mark)" "$mark" "the second stage was not run again"
printf '3\n4\n' >input
ok "builds with input that matters" thimble build -q -t it .
isnt "$(thimble run --rm it cat /mark)" "$mark" "now it was"
done_testing
