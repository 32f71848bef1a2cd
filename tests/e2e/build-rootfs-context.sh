#!/bin/sh
# --build-context NAME=rootfs:/ : this machine's own files stand in for a base image.
. "$(dirname "$0")/../lib/tap.sh"
cat >hello.c <<'C'
#include <stdio.h>
int main(void) { puts("Hello, world!"); return 0; }
C
dockerfile <<'D'
FROM gcc AS build
COPY hello.c .
RUN gcc -static -o hello hello.c
FROM scratch
COPY --from=build /hello /
CMD ["/hello"]
D
ok "FROM gcc builds with this machine's gcc" \
	thimble build -q -t it --build-context gcc=rootfs:/ .
ok "the image runs" thimble run --rm it
is "$out" 'Hello, world!' "and says so"
ok "and can be saved: it does not stand on the machine" thimble save -o it.tar it

mkdir -p "$T/private" && echo secret >"$T/private/file"
printf 'FROM gcc\nRUN ls -a / /home /root /run /tmp /var /srv /opt >/seen 2>&1; cat /etc/shadow >/shadow 2>/dev/null; ls %s >>/seen 2>&1; true\n' \
	"$T/private" >Dockerfile
ok "what such a step sees" thimble build -q -t seen --build-context gcc=rootfs:/ .
run thimble run --rm seen cat /seen /shadow
unlike "$out" 'root:.*:[0-9]+:' "not /etc/shadow"
unlike "$out" '^file$|thimble-test' "neither homes nor temporary files"
fails 1 "an image that stands on the machine is not saved" thimble save -o no.tar seen
like "$err" 'rootfs.export' "the error names what would allow it"
ok "the allowed export" thimble build -q -t seen --build-context gcc=rootfs:/ --iidfile iid .

# What a COPY takes beside a file of the stage is looked for on this machine each time.
if [ "$(id -u)" = 0 ]; then
	dockerfile <<'D'
FROM gcc AS build
RUN echo made >/made
FROM scratch
COPY --from=build /usr/games/x* /made /got/
D
	# shellcheck disable=SC2016  # for the inner shell
	ok "a file that appears for a wildcard is taken" unshare --mount sh -ec '
		mount -t tmpfs none /usr/games
		for i in 1 2; do "$THIMBLE" build -q -t it --build-context gcc=rootfs:/ .; done
		echo new >/usr/games/xnew
		"$THIMBLE" build -q -t it --build-context gcc=rootfs:/ .'
	is "$(thimble cp it:/got - | tar -t | sort | tr '\n' ' ')" "got/ got/made got/xnew " "with the stage's own"
fi
done_testing
