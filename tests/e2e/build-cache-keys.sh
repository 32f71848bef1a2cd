#!/bin/sh
# What makes a step run again and what does not: the CCH rows of dockerfile.md.
. "$(dirname "$0")/../lib/tap.sh"
base_image
mkdir -p ctx/dir other
cd ctx || exit 1
printf 'a\n' >a.txt
printf 'b\n' >b.txt
printf 'x\n' >dir/x
dockerfile <<'D'
FROM base AS made
ARG EARLY
RUN cat /proc/sys/kernel/random/uuid >/early
ARG LATE=1
RUN cat /proc/sys/kernel/random/uuid >/late
FROM base
COPY a.txt dir/ /files/
RUN cat /proc/sys/kernel/random/uuid >/copied
COPY *.txt /wild/
RUN cat /proc/sys/kernel/random/uuid >/matched
RUN --mount=source=b.txt,target=/b cat /proc/sys/kernel/random/uuid >/mounted
RUN --mount=type=cache,target=/c cat /proc/sys/kernel/random/uuid >/with-cache; cat /c/* >>/with-cache 2>/dev/null; echo kept >/c/f
COPY --from=made /early /late /
D
marks() { # of what ran: name=stamp, one a line
	thimble run --rm it sh -c 'cd /; for f in early late copied matched mounted with-cache; do
		echo "$f=$(tr "\n" " " <$f)"; done'
}
# again "what ran again" DESCRIPTION [OPTION...]
again() {
	again_want=$1 again_desc=$2
	shift 2
	ok "$again_desc" thimble build -q -t it "$@" . || return
	marks >"$T/new"
	is "$(diff "$T/old" "$T/new" | sed -n 's/^> \([a-z-]*\)=.*/\1/p' | tr '\n' ' ')" "$again_want" \
		"$again_desc: runs again: ${again_want:-nothing}"
	mv "$T/new" "$T/old"
}
ok "builds" thimble build -q -t it .
marks >"$T/old"
again "" "CCH01 nothing changed"
touch a.txt b.txt dir/x dir
again "" "CCH01 times alone"
chmod 600 a.txt
again "copied matched mounted with-cache " "CCH02 a mode"
chmod 644 a.txt
again "copied matched mounted with-cache " "CCH02 and back: as it was first"
thimble build -q -t it . >/dev/null 2>&1 && marks >"$T/old"
printf 'A\n' >a.txt
again "copied matched mounted with-cache " "CCH02 content of the same size"
mv b.txt c.txt && cp c.txt b.txt && rm c.txt
again "" "a file that was replaced by its like"
cp b.txt z.txt
again "matched mounted with-cache " "CCH02 one more under a wildcard"
mv z.txt y.txt
again "matched mounted with-cache " "CCH02 a rename under a wildcard"
printf 'no\n' >unselected
again "" "CCH03 a file that nothing takes"
printf 'B\n' >unselected
printf 'bb\n' >b.txt
again "matched mounted with-cache " "RUN05 the file that is mounted"
again "early late " "CCH04 an ARG before both" --build-arg EARLY=2
again "late " "CCH04 an ARG before the later" --build-arg EARLY=2 --build-arg LATE=3
again "late " "an ARG back at its default" --build-arg EARLY=2
again "early late " "CCH08 --no-cache-filter, the name in capitals" --no-cache-filter MADE --build-arg EARLY=2
like "$(grep ^with-cache "$T/old")" 'kept' "the cache mount holds what a step left"
again "early late copied matched mounted with-cache " "CCH07 --no-cache" --no-cache --build-arg EARLY=2
unlike "$(grep ^with-cache "$T/old")" 'kept' "CCH07 and empties the cache mount first"
rm -r dir && printf 'file\n' >dir
ok "CCH10 a directory became a file of the same name" thimble build -q -t it .
is "$(thimble run --rm it ls /files)" "a.txt
dir" "CCH10 nothing of the old one is left"
cd ..

# A producer that ran again and made the same bytes.
dockerfile <<'D'
FROM base AS made
ARG N
RUN echo "$N" >/n; echo same >/out
FROM base
COPY --from=made /out /out
RUN cat /proc/sys/kernel/random/uuid >/stamp
D
stamp() { thimble run --rm it cat /stamp; }
ok "builds" thimble build -q -t it --build-arg N=1 .
first=$(stamp)
ok "builds with another producer" thimble build -q -t it --build-arg N=2 .
is "$(stamp)" "$first" "CCH05 the consumer was not run again"

# Dockerfile's words that are no steps.
row=0
same() { # DESCRIPTION: does /stamp stay with this Dockerfile?
	cat >Dockerfile
	thimble build -q -t it . >/dev/null 2>"$T/err" || diag_file "$T/err"
	row=$((row + 1))
	[ $row = 1 ] && first=$(stamp)
	is "$(stamp)" "$first" "$1"
}
same "a step" <<'D'
FROM base
ENV A=1
RUN cat /proc/sys/kernel/random/uuid >/stamp
D
same "LABEL, CMD, EXPOSE, VOLUME, STOPSIGNAL, HEALTHCHECK above it change nothing" <<'D'
FROM base
LABEL x=y
CMD x
EXPOSE 1
VOLUME /v
STOPSIGNAL 9
HEALTHCHECK NONE
ENTRYPOINT []
ENV A=1
RUN cat /proc/sys/kernel/random/uuid >/stamp
D
differs() {
	cat >Dockerfile
	thimble build -q -t it . >/dev/null 2>"$T/err" || diag_file "$T/err"
	isnt "$(stamp)" "$first" "$1"
}
differs "ENV does" <<'D'
FROM base
ENV A=2
RUN cat /proc/sys/kernel/random/uuid >/stamp
D
differs "USER does" <<'D'
FROM base
ENV A=1
USER 0
RUN cat /proc/sys/kernel/random/uuid >/stamp
D
differs "SHELL does" <<'D'
FROM base
ENV A=1
SHELL ["/bin/sh", "-ec"]
RUN cat /proc/sys/kernel/random/uuid >/stamp
D
differs "its text does" <<'D'
FROM base
ENV A=1
RUN cat  /proc/sys/kernel/random/uuid >/stamp
D

# CCH09: the same layer whatever it stands on.
echo x >f
for base in one two; do
	printf 'FROM base\nRUN echo %s >/which\nCOPY --link f /f\n' $base >Dockerfile
	ok "on $base" thimble build -q -t "link:$base" .
	thimble inspect --format '{{json .RootFS.Layers}}' "link:$base" | grep -o 'sha256:[0-9a-f]*' | tail -n 1 >"$T/layer-$base"
done
ok "CCH09 COPY --link: the same layer" cmp "$T/layer-one" "$T/layer-two"

# VAR30, VAR31: proxies.
printf 'FROM base\nRUN echo "$http_proxy $HTTP_PROXY" >/p; cat /proc/sys/kernel/random/uuid >/stamp\n' >Dockerfile
ok "a proxy" thimble build -q -t it --build-arg http_proxy=http://one .
is "$(thimble run --rm it cat /p)" "http://one http://one" "VAR30 in both cases"
first=$(stamp)
unlike "$(thimble history --no-trunc it)" 'http://one' "VAR30 not in the history"
unlike "$(thimble inspect it)" 'http://one' "nor in the config"
ok "another proxy" thimble build -q -t it --build-arg HTTP_PROXY=http://two .
is "$(stamp)" "$first" "VAR30 is no reason to run again"
printf 'FROM base\nARG http_proxy\nRUN cat /proc/sys/kernel/random/uuid >/stamp\n' >Dockerfile
ok "a proxy that is declared" thimble build -q -t it --build-arg http_proxy=http://one .
first=$(stamp)
like "$(thimble history --no-trunc it)" 'http_proxy=http://one' "VAR31 is in the history"
ok "another" thimble build -q -t it --build-arg http_proxy=http://two .
isnt "$(stamp)" "$first" "VAR31 and in the key"

# A failed step is not remembered; what stood beside it is.
printf 'FROM base\nRUN cat /proc/sys/kernel/random/uuid >/stamp\nRUN --mount=type=cache,target=/c test -e /c/go || { : >/c/go; exit 1; }\n' >Dockerfile
fails 1 "a step that fails the first time" thimble build -q -t it .
ok "is run again" thimble build -q -t it .

# Names of one file: the copy has the same links, so they count; what lies outside of it does not.
rm -rf links && mkdir -p links/d && cd links || exit 1
echo x >d/a && cp d/a d/b
printf 'FROM base\nCOPY d /d\n' >Dockerfile
names() { thimble build -q -t it . >/dev/null && thimble run --rm it stat -c %h /d/a; }
is "$(names)" 1 "two files"
ln -f d/a d/b
is "$(names)" 2 "two names of one"
ln -f d/b e
is "$(names)" 2 "a third one that is not copied"
rm d/b && cp d/a d/b
is "$(names)" 1 "two files again"
cd ..

# What a bind mount is of has an owner and a mode that the step can see.
dockerfile <<'D'
FROM base AS made
ARG MODE OWNER
RUN mkdir /d && echo x >/d/f && chmod "$MODE" /d && chown "$OWNER" /d
FROM base
RUN --mount=from=made,source=/d,target=/m stat -c '%a %u' /m >/seen
D
seen() { thimble build -q -t it --build-arg MODE="$1" --build-arg OWNER="$2" . >/dev/null && thimble run --rm it cat /seen; }
is "$(seen 750 7)" '750 7' "a bind mount has the mode and owner of its directory"
is "$(seen 711 7)" '711 7' "and the step that saw another one runs again"
is "$(seen 711 8)" '711 8' "for the owner too"

printf 'FROM base\nRUN df -k /dev/shm | tail -n 1 | awk "{ print \\$2 }" >/seen\n' >Dockerfile
for size in 65536 8192 16384; do
	thimble build -q -t it --shm-size ${size}k . >/dev/null 2>"$T/err" || diag_file "$T/err"
	is "$(thimble run --rm it cat /seen)" $size "--shm-size counts"
done
done_testing
