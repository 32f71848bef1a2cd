#!/bin/sh
# An unchanged rebuild does no work; a changed file redoes only what depends on its content.
. "$(dirname "$0")/../lib/tap.sh"
base_image
echo one >one
echo two >two
dockerfile <<'D'
FROM base
RUN head -c 8 /dev/urandom | od -An -tx1 >/early
COPY one /one
RUN head -c 8 /dev/urandom | od -An -tx1 >/after-one
COPY two /two
RUN head -c 8 /dev/urandom | od -An -tx1 >/after-two
D
file() { thimble run --rm it cat "$1"; }
ok "builds" thimble build -q -t it .
id=$(thimble images -q --no-trunc it)
early=$(file /early) one=$(file /after-one) two=$(file /after-two)

ok "builds again" thimble build -q -t it .
is "$(thimble images -q --no-trunc it)" "$id" "the same image"
touch one
ok "builds after a touch" thimble build -q -t it .
is "$(thimble images -q --no-trunc it)" "$id" "a newer mtime alone changes nothing"

echo changed >two
ok "builds after a change of the last file" thimble build -q -t it .
is "$(file /early)" "$early" "what stood before it was kept"
is "$(file /after-one)" "$one" "and what depends on another file"
isnt "$(file /after-two)" "$two" "what came after it ran again"
is "$(file /two)" changed "and the file is the new one"

echo two >two
ok "builds after the change was taken back" thimble build -q -t it .
is "$(thimble images -q --no-trunc it)" "$id" "the first image again, from the cache"

chmod 600 two
ok "builds after a change of mode" thimble build -q -t it .
isnt "$(thimble images -q --no-trunc it)" "$id" "a mode is content"
chmod 644 two

ok "--no-cache" thimble build -q --no-cache -t it .
isnt "$(file /early)" "$early" "runs every step again"

# Same size, same second: only content tells them apart.
for i in 1 2 3 4 5; do
	echo "$i" >one
	thimble build -q -t it . >/dev/null 2>&1
	[ "$(file /one)" = "$i" ] || break
done
is "$(file /one)" 5 "quick changes of the same size are all seen"

# Who had no attributes is not asked again, unless the change time has moved.
sleep 0.1
thimble build -q -t it . >/dev/null && thimble build -q -t it . >/dev/null
id=$(thimble images -q --no-trunc it)
setfattr -n user.colour -v red two
ok "builds after a change of an extended attribute" thimble build -q -t it .
isnt "$(thimble images -q --no-trunc it)" "$id" "an extended attribute is content"

# What a COPY --from selects is remembered: unchanged, no index of a layer is read for it.
stages() { # OPTIONS-OF-COPY
	dockerfile <<D
FROM base AS made
RUN mkdir /d && echo a >/d/a && echo b >/d/b
FROM base
COPY --from=made $1
D
}
made() { thimble run --rm it sh -c 'cd / && find x* -type f | sort | xargs ls -l' | awk '{ print $1, $NF }'; }
stages "/d /x"
ok "builds from a stage" thimble build -q -t it .
first=$(thimble images -q --no-trunc it)
find "$THIMBLE_ROOT/snapshots" -mindepth 2 -maxdepth 2 -name index -execdir mv {} away \;
ok "unchanged, without an index" thimble build -q -t it .
find "$THIMBLE_ROOT/snapshots" -mindepth 2 -maxdepth 2 -name away -execdir mv {} index \;
is "$(thimble images -q --no-trunc it)" "$first" "the same image"
for option in "--exclude=a /d /x=-rw-r--r-- x/b" "--chmod=600 /d/a /x=-rw------- x" "--parents /d/a /x=-rw-r--r-- x/d/a" \
	"/d/a /x/=-rw-r--r-- x/a" "/d/b /x/=-rw-r--r-- x/b"; do
	stages "${option%=*}"
	for again in "" " again"; do
		ok "COPY ${option%=*}$again" thimble build -q -t it .
		is "$(made)" "${option##*=}" "is what it says"
	done
done
stages "/d /x"
ok "and the first one" thimble build -q -t it .
is "$(thimble images -q --no-trunc it)" "$first" "is the first image"
done_testing
