#!/bin/sh
# Here-documents of RUN and COPY.
. "$(dirname "$0")/../lib/tap.sh"
base_image
dockerfile <<'D'
FROM base
ARG WHO=world
RUN <<EOT
echo "hello $WHO" >/one
echo second >>/one
EOT
RUN <<-'EOT' cat >/two
	tabs stripped, $WHO kept
	EOT
COPY <<one.txt <<two.txt --chmod=600 /docs/
D
dockerfile <<'D'
FROM base
ARG WHO=world
RUN <<EOT
echo "hello $WHO" >/one
echo second >>/one
EOT
RUN <<-'EOT' cat >/two
	tabs stripped, $WHO kept
	EOT
COPY --chmod=600 <<one.txt <<"two.txt" /docs/
one for $WHO
one.txt
two for $WHO
two.txt
RUN <<EOT
#!/bin/cat
the script itself
EOT
D
ok "builds" thimble build -q -t it .
is "$(thimble run --rm it cat /one | tr '\n' ,)" 'hello world,second,' "a script for the shell"
is "$(thimble run --rm it cat /two)" "tabs stripped, \$WHO kept" "<<- and a quoted delimiter"
is "$(thimble run --rm it cat /docs/one.txt)" 'one for world' "COPY expands"
is "$(thimble run --rm it cat /docs/two.txt)" "two for \$WHO" "but not a quoted one"
is "$(thimble run --rm it stat -c %a /docs/one.txt)" 600 "--chmod"
printf 'FROM base\nRUN <<EOT\necho never ends\n' >Dockerfile
fails 1 "a here-document without an end" thimble build --progress quiet .
like "$err" 'EOT' "names its delimiter"
done_testing
