#!/bin/sh
# COPY and ADD: --chown, --chmod, wildcards, archives, links, and --from an image or a context.
. "$(dirname "$0")/../lib/tap.sh"
base_image base other
mkdir -p tree/sub && echo a >tree/a && echo b >tree/sub/b && chmod 750 tree/sub && ln -s a tree/link
ln tree/a tree/hard
tar -C tree -czf tree.tar.gz .
mkdir ctx2 && echo ctx2 >ctx2/file
dockerfile <<'D'
FROM base
COPY --chown=app:staff tree /own/
COPY --chmod=0711 tree/a /mode/a
COPY --chown=1234 tree/a /number/
COPY tre?/s*b /wild/
ADD tree.tar.gz /un/
COPY tree.tar.gz /packed/
COPY --from=other /bin/hello /from-image
COPY --from=extra file /from-context
COPY tree/a tree/sub/b /both
D
ok "builds" thimble build -q -t it --build-context extra=ctx2 .
st() { thimble run --rm it stat -c "$1" "$2"; }
is "$(st '%U:%G %a' /own/sub)" 'app:staff 750' "--chown with names, the mode kept"
is "$(st '%U:%G' /own/link)" 'app:staff' "and of a link itself"
is "$(st '%a' /mode/a)" 711 "--chmod"
is "$(st '%a' /mode)" 711 "of the directory made for it too"
is "$(st '%u:%g' /number/a) $(st '%u:%g' /number)" '1234:1234 1234:1234' "--chown=N is N:N"
is "$(thimble run --rm it cat /wild/b)" b "wildcards"
is "$(thimble run --rm it readlink /own/link)" a "links are copied as links"
is "$(thimble run --rm it cat /un/sub/b)" b "ADD unpacks an archive"
ok "COPY does not" thimble run --rm it test -f /packed/tree.tar.gz
ok "COPY --from an image" thimble run --rm it /from-image
is "$(thimble run --rm it cat /both)" b "two sources for one file: the last wins, as with docker"
is "$(thimble run --rm it cat /from-context)" ctx2 "COPY --from a build context"
dockerfile <<'D'
FROM extra
COPY file /copied
D
mkdir -p root/bin && thimble cp base:/bin/busybox root/bin/ && ln -s busybox root/bin/cat && echo x >file
ok "a directory as the base" thimble build -q -t dirbase --build-context extra=root .
is "$(thimble run --rm dirbase /bin/cat /copied)" x "works"
thimble save --format oci-dir -o layout base
ok "an OCI layout as the base" thimble build -q -t ocibase --build-context extra=oci-layout://layout .
is "$(thimble run --rm ocibase cat /copied)" x "works"
done_testing
