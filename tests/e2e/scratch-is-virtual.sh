#!/bin/sh
# scratch is no image: run and tag say what it is; FROM scratch holds just what was copied.
. "$(dirname "$0")/../lib/tap.sh"
base_image
run thimble run scratch
is "$status" 125 "run scratch"
like "$err" 'scratch.*(empty|virtual|no image|not an image)' "says what it is"
fails 1 "tag scratch x" thimble tag scratch x
like "$err" 'scratch' "says what it is"
echo x >file
printf 'FROM scratch\nCOPY file /one\n' >Dockerfile
ok "FROM scratch" thimble build -q -t it .
is "$(thimble cp it:/ - | tar -t | sed 's|^\./||' | grep -v '^$' | tr '\n' ' ')" 'one ' "holds just that"
printf 'FROM scratch\nRUN true\n' >Dockerfile
fails 1 "RUN in scratch" thimble build --progress quiet .
like "$err" '/bin/sh' "says what is missing"
done_testing
