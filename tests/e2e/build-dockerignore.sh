#!/bin/sh
# .dockerignore, and the one that belongs to a named Dockerfile.
. "$(dirname "$0")/../lib/tap.sh"
base_image
mkdir -p build docs sub/build
touch a.log keep.log sub/b.log build/x sub/build/y a.tmp sub/c.tmp docs/a.md docs/README.md plain
cat >.dockerignore <<'I'
# comment
*.log
!keep.log
build
**/*.tmp
docs/*.md
!docs/README.md
I
printf 'FROM base\nCOPY . /ctx\n' >Dockerfile
files() { thimble run --rm it sh -c 'cd /ctx && find . -type f | sort | tr "\n" " "'; }
ok "builds" thimble build -q -t it .
is "$(files)" './.dockerignore ./Dockerfile ./docs/README.md ./keep.log ./plain ./sub/b.log ./sub/build/y ' \
	"what is left"
printf 'FROM base\nCOPY . /ctx\n' >other
echo '*' >other.dockerignore && echo '!plain' >>other.dockerignore
ok "-f other" thimble build -q -t it -f other .
is "$(files)" './plain ' "reads other.dockerignore instead"
done_testing
