#!/bin/sh
# Bad input: what, why and what next; a status that is not 0; and the store as it was.
. "$(dirname "$0")/../lib/tap.sh"
base_image
before=$(thimble images --no-trunc --format "{{.Repository}} {{.Tag}} {{.ID}}"; ls "$THIMBLE_ROOT/tmp")
bad() { # DESCRIPTION REGEX [ARG...]: build with the Dockerfile on standard input
	bad_desc=$1 bad_re=$2
	shift 2
	cat >Dockerfile
	fails 1 "$bad_desc" thimble build --progress quiet "$@" .
	like "$err" "$bad_re" "$bad_desc: says so"
}
bad "an unknown instruction" 'COPY' <<'D'
FROM base
COPPY a b
D
like "$err" 'Dockerfile:2' "with its place"
golden "$T/err" build-unknown-instruction.txt "the whole text"
bad "a file that is not in the context" "nothere" <<'D'
FROM base
COPY nothere /
D
echo 'secret*' >.dockerignore
echo x >secret.txt
bad "a file that .dockerignore leaves out" '\.dockerignore:1' <<'D'
FROM base
COPY secret.txt /
D
golden "$T/err" build-dockerignore-excludes.txt "the whole text"
rm .dockerignore
bad "no FROM" 'FROM' <<'D'
RUN echo
D
bad "an empty Dockerfile" 'empty|no stage|no instruction|FROM' <<'D'
# nothing
D
bad "a base that is not there" 'nosuchimage' <<'D'
FROM nosuchimage
D
bad "a path that leaves the context" 'context' <<'D'
FROM base
COPY ../../etc/passwd /
D
bad "JSON that is none" 'Dockerfile:2' <<'D'
FROM base
COPY ["a", "b"
D
bad "an unknown flag of an instruction" 'chwon' <<'D'
FROM base
COPY --chwon=1 a /
D
bad "a variable in a bad form" 'Dockerfile:2' <<'D'
FROM base
ENV A=${B
D
bad "a user that is not there" 'nosuchuser' <<'D'
FROM base
USER nosuchuser
RUN true
D
bad "a step that fails" '42' <<'D'
FROM base
RUN exit 42
D
printf 'FROM base\n' >Dockerfile
fails 1 "an invalid name" thimble build -t 'Not A Name' .
like "$err" 'Not A Name' "is named"
fails 1 "an invalid tag" thimble build -t 'it:-x' .
fails 1 "a context that is not there" thimble build nosuchdir
like "$err" 'nosuchdir' "is named"
fails 1 "a Dockerfile that is not there" thimble build -f nosuchfile .
like "$err" 'nosuchfile' "is named"
fails 2 "an unknown flag" thimble build --no-cash .
like "$err" 'no-cache' "gives the nearest"
fails 2 "no context" thimble build
fails 2 "an unknown command" thimble biuld .
like "$err" 'build' "gives the nearest"
fails 2 "a value that is none of the list" thimble build --progress loud .
after=$(thimble images --no-trunc --format "{{.Repository}} {{.Tag}} {{.ID}}"; ls "$THIMBLE_ROOT/tmp")
is "$after" "$before" "the store is as it was"
done_testing
