#!/bin/sh
# What a built image will run into is said at the end of its build, and by run.
. "$(dirname "$0")/../lib/tap.sh"
base_image
cat >hello.c <<'C'
#include <stdio.h>
int main(void) { puts("Hello, world!"); return 0; }
C
cc -o dynamic hello.c && musl-gcc -o musl hello.c || exit 1
mkdir -p muslroot/lib
cp -L /lib/ld-musl-*.so.1 muslroot/lib/
mkdir -p glibcroot
ldd dynamic | grep -o '/[^ ]*' | xargs cp --parents --dereference -t glibcroot

case_of() { # NAME < Dockerfile
	name=$1
	cat >Dockerfile
	ok "$name: builds all the same" thimble build --progress quiet -t "$name" .
	built=$err
	run thimble run --rm "$name"
	isnt "$status" 0 "$name: fails"
	unlike "$err" 'No such file or directory$' "$name: not the bare words of the kernel"
}
case_of shell-form <<'D'
FROM scratch
COPY dynamic /hello
CMD ./hello --flag
D
like "$built" '/bin/sh' "warns that the string form needs /bin/sh"
like "$built" 'CMD \["\./hello", ?"--flag"\]' "gives the JSON form"
like "$err" 'CMD \["\./hello", ?"--flag"\]' "run gives it too"

case_of no-loader <<'D'
FROM scratch
COPY dynamic /hello
CMD ["/hello"]
D
loader=$(ldd dynamic | grep -o '/[^ ]*ld-linux[^ ]*')
like "$built" "$loader" "warns that the interpreter is not there"
like "$built" 'libc\.so\.6' "the library it would need"
like "$built" 'static' "first way out"
like "$built" 'COPY' "second"
like "$built" 'busybox:glibc|debian' "third"
golden "$T/err" run-no-loader.txt "the whole text of run"

case_of glibc-on-musl <<'D'
FROM base
COPY muslroot /
COPY dynamic /hello
CMD ["/hello"]
D
like "$built" 'glibc' "says which libc the program has"
like "$built" 'musl' "and which the image"
like "$err" 'musl' "run too"

case_of musl-on-glibc <<'D'
FROM base
COPY glibcroot /
COPY musl /hello
CMD ["/hello"]
D
like "$built" 'musl' "says which libc the program has"
like "$built" 'glibc' "and which the image"

dockerfile <<'D'
FROM scratch
COPY glibcroot /
COPY dynamic /hello
CMD ["/hello"]
D
ok "with its libraries" thimble build --progress quiet -t whole .
is "$err" "" "no warning"
ok "runs" thimble run --rm whole
printf 'FROM base\nCMD ["/nosuchthing"]\n' >Dockerfile
ok "a program that is not there" thimble build --progress quiet -t missing .
like "$err" 'nosuchthing' "is warned of"
done_testing
