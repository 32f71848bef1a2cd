#!/bin/sh
# Names come and go; what nobody names any more is collected, what is used is not.
. "$(dirname "$0")/../lib/tap.sh"
base_image
printf 'FROM base\nRUN echo x >/x\n' >Dockerfile
thimble build -q -t it:1 . >/dev/null
ok "tag" thimble tag it:1 it:2
ok "tag into another name" thimble tag it:1 registry.example/deep/path/name:v1
is "$(thimble images -q it:2)" "$(thimble images -q it:1)" "the same image"
ok "rmi one name" thimble rmi it:1
ok "the other works" thimble run --rm it:2 cat /x
ok "by id" thimble run --rm "$(thimble images -q it:2)" cat /x
fails 1 "rmi of what is not there" thimble rmi it:1
like "$err" 'it:2' "says what is"
fails 1 "a name that is none" thimble tag it:2 'Bad Name'
like "$err" 'Bad Name' "says so"
digest=$(thimble images --digests --format '{{.Digest}}' it:2)
fails 1 "rmi of a digest that has two names" thimble rmi "it@$digest"
like "$err" 'the image has 2 names' "says so"
like "$err" 'try +name one of them, or remove all with -f' "and what to do"
fails 1 "rmi of a digest that nothing has" thimble rmi "it@sha256:$(printf %064d 0)"
like "$err" 'there is no image' "says so"
ok "rmi one of them" thimble rmi registry.example/deep/path/name:v1
ok "rmi of the digest" thimble rmi "it@$digest"
is "$(echo "$out" | cut -c1-15)" 'Untagged: it:2
Deleted: sha256' "takes the name and the image"
is "$(thimble images -aq it)" '' "it is gone"
ok "prune" thimble prune -f
ok "the base still runs" thimble run --rm base true
ok "image rm" thimble image rm base
ok "prune everything" thimble prune -a -f
is "$(find "$THIMBLE_ROOT/snapshots" "$THIMBLE_ROOT/blobs" -mindepth 1 -type f 2>/dev/null | wc -l)" 0 "nothing is left"
done_testing
