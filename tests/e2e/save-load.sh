#!/bin/sh
# save and load: the same image comes back into another store, in each format.
. "$(dirname "$0")/../lib/tap.sh"
base_image
dockerfile <<'D'
FROM base
RUN echo x >/x && ln /x /y && chown 7:8 /x && chmod 4711 /x && rm /bin/vi && mkfifo /fifo
RUN rm -r /var && mkdir /var && echo new >/var/new
ENV KEY=value
CMD ["sh", "-c", "echo $KEY; stat -c '%a %u %g %h' /y; ls /var; test -p /fifo && ! test -e /bin/vi && echo whole"]
D
thimble build -q -t it:1 . >/dev/null
want=$(thimble run --rm it:1)
id=$(thimble images -q --no-trunc it:1)
is "$want" 'value
4711 7 8 2
new
whole' "what it prints"
for format in oci docker; do
	ok "$format: save" thimble save --format $format -o $format.tar it:1
	ok "$format: load into another store" thimble --root "$T/s-$format" load -i $format.tar
	is "$(thimble --root "$T/s-$format" run --rm it:1)" "$want" "$format: works there"
done
is "$(thimble --root "$T/s-oci" images -q --no-trunc it:1)" "$id" "oci: the same id"
ok "oci-dir: save" thimble save --format oci-dir -o layout it:1
ok "oci-dir: load" thimble --root "$T/s-dir" load -i layout
is "$(thimble --root "$T/s-dir" images -q --no-trunc it:1)" "$id" "oci-dir: the same id"
ok "save again" thimble save -o again.tar it:1
ok "the same bytes" cmp oci.tar again.tar
ok "from the other store too" sh -c '"$THIMBLE" --root "$T/s-oci" save -o third.tar it:1 && cmp oci.tar third.tar'
ok "two names in one archive" thimble save -o two.tar it:1 base
ok "load both" thimble --root "$T/s-two" load -i two.tar
is "$(thimble --root "$T/s-two" images --format '{{.Repository}}' | sort | tr '\n' ' ')" 'base it ' "are there"
ok "to standard output" sh -c '"$THIMBLE" save it:1 | tar -t >/dev/null'
head -c 100000 oci.tar >short.tar
fails 1 "half an archive" thimble --root "$T/s-short" load -i short.tar
fails 1 "what is no archive" thimble load -i /bin/busybox
fails 1 "what is not there" thimble load -i nosuchfile
like "$err" 'nosuchfile' "is named"
is "$(thimble images -q --no-trunc it:1)" "$id" "and ours is untouched"
done_testing
