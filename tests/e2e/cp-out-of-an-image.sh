#!/bin/sh
# cp IMAGE:PATH: the way into an image that has no shell.
. "$(dirname "$0")/../lib/tap.sh"
base_image
dockerfile <<'D'
FROM base AS build
RUN mkdir -p /d/sub && echo file >/d/file && chmod 640 /d/file && ln -s file /d/link && \
	ln -s /d/file /abs && echo s >/d/sub/s && ln -s /etc/passwd /d/outward
FROM scratch
COPY --from=build /d /d
COPY --from=build /abs /
D
thimble build -q -t it . >/dev/null
ok "a file" thimble cp it:/d/file here
is "$(cat here) $(stat -c %a here)" "file 640" "with its mode"
mkdir into
ok "into a directory" thimble cp it:/d/file into/
is "$(cat into/file)" file "keeps its name"
ok "a directory" thimble cp it:/d copy
is "$(cat copy/sub/s)$(readlink copy/link)" sfile "whole"
thimble cp it:/d - >d.tar
is "$(tar -xOf d.tar d/file)" file "to standard output as a tar"
fails 1 "what is not there" thimble cp it:/d/fiel x
like "$err" '/d/file' "gives the near one"
fails 1 "what a link says is outside is not taken from our machine" sh -c '"$THIMBLE" cp -L it:/d/outward passwd'
ok "nothing was taken" test ! -e passwd
done_testing
