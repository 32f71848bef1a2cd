#!/bin/sh
# What manifest create, annotate, inspect and push refuse, with nothing but the store and files.
. "$(dirname "$0")/../lib/tap.sh"
base_image
no() { # STATUS WORDS COMMAND...
	no_status=$1 no_words=$2
	shift 2
	fails "$no_status" "manifest $*" thimble manifest "$@"
	like "$err" "$no_words" "says why"
}
hex=$(printf '%064d' 0)
no 1 "a list is named with a tag, not with a digest: 'app@sha256:$hex'" create "app@sha256:$hex" base
no 1 "made of images of the store and of registries" create app:1 oci:somewhere
like "$err" "copy 'oci:somewhere' to one of them first" "and the way out"
no 2 "takes at least 2 arguments" create app:1
ok "a list" thimble manifest create app:1 base
printf 'FROM base\nLABEL a=b\n' | thimble build -q -t base - >/dev/null || echo "Bail out! no second image"
ok "of one name" thimble manifest create --amend app:1 base
no 1 "several entries of the list are 'base'" annotate --arch arm app:1 base
like "$err" "give the digest of one: 'thimble manifest inspect' shows them" "and the way out"
first=$(thimble manifest inspect app:1 | sed -n 's/.*"digest": "\(sha256:[0-9a-f]*\)".*/\1/p' | head -n 1)
no 2 "wants KEY=VALUE, not 'novalue'" annotate --annotation novalue app:1 "$first"
no 2 "takes text \\(UTF-8\\)" annotate --annotation "a=$(printf '\377')" app:1 "$first"
ok "by its digest" thimble manifest annotate --annotation a=b app:1 "$first"


# A list that somebody wrote into.
list=$(grep -rl '"descriptor"' "$THIMBLE_ROOT/lists" | head -n 1)
echo '[]' >"$list"
no 1 "the record of the list 'docker.io/library/app:1' is damaged" inspect app:1
like "$err" "read the list 'app:1'" "says which"
like "$err" "remove it with 'thimble manifest rm'" "and the way out"
ok "manifest rm" thimble manifest rm app:1
done_testing
