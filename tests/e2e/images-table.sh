#!/bin/sh
# images: the familiar table, filters by name, formats, sort.
. "$(dirname "$0")/../lib/tap.sh"
base_image base
head -c 940000 /dev/zero >zeros
printf 'FROM scratch\nCOPY zeros /\n' >Dockerfile
thimble build -q -t small:tag . >/dev/null
ok "images" thimble images
like "$out" '^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$' "the columns people know"
like "$out" '^small +tag +[0-9a-f]{12} +.* ago +940kB$' "a row"
like "$out" '^base +latest +[0-9a-f]{12} .*MB$' "another"
ok "images NAME" thimble images small
unlike "$out" '^base' "only that"
ok "images NAME:TAG" thimble images small:other
unlike "$out" '^small' "none"
like "$(thimble images -q small:tag)" '^[0-9a-f]{12}$' "-q"
like "$(thimble images -q --no-trunc small:tag)" '^sha256:[0-9a-f]{64}$' "--no-trunc"
is "$(thimble images --format '{{.Repository}}:{{.Tag}} {{.Size}}' small)" 'small:tag 940kB' "--format"
is "$(thimble images --sort size --format '{{.Repository}}' | tr '\n' ' ')" 'small base ' "--sort size"
ok "--json" thimble images --json
cp "$T/out" json
ok "is JSON" python3 -c 'import json; d = json.load(open("json")); assert len(d) == 2, d'
like "$(thimble images --format 'table {{.Repository}}\t{{.Size}}' small)" '^REPOSITORY +SIZE$' "table …"
ok "image ls" thimble image ls
fails 1 "a function that we do not have" thimble images --format '{{nosuch .Repository}}'
like "$err" 'nosuch' "is refused by name"
ok "system df" thimble system df
ok "info" thimble info
ok "version" thimble version
like "$out" '[0-9]+\.[0-9]+\.[0-9]+' "a number"
NO_STORE=$T/none
ok "no store yet" thimble --root "$NO_STORE" images
ok "and none was made by looking" test ! -e "$NO_STORE"
done_testing
