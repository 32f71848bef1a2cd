#!/bin/sh
# nginx from Debian's packages: built, served inside RUN, inside `run` and to this machine.
. "$(dirname "$0")/../lib/tap.sh"
ok "the base image" "$tests/../examples/minimage/bases" --thimble "$THIMBLE" debian
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

echo '<p>a page</p>' >index.html
dockerfile <<'D'
FROM debian
RUN apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nginx curl && \
    rm -rf /var/lib/apt/lists/*
COPY --chown=www-data:www-data index.html /var/www/html/
RUN ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log
# A network of its own: port 80 is free, and a user may bind it.
RUN --network=none nginx && curl -fsS http://127.0.0.1/ >/served && nginx -s stop
EXPOSE 80/tcp
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
D
ok "built" thimble build --progress plain -t nginx .
ok "what RUN fetched from it" thimble run --rm nginx cat /served
is "$out" '<p>a page</p>' "is the page"
ok "on port 80 of a network of its own" thimble run --rm --network none nginx \
	sh -c 'nginx >/dev/null && curl -fsS http://localhost/ && curl -s -o /dev/null -w "%{http_code}\n" http://localhost/no;
	ps=$(cat /run/nginx.pid); nginx -s quit; while kill -0 $ps 2>/dev/null; do sleep 0.05; done; echo ended'
is "$out" '<p>a page</p>
404
ended' "the page, a 404, and it ends"
ok "it drops its rights" thimble run --rm --network none nginx sh -c 'nginx && curl -fs http://127.0.0.1/ >/dev/null
	cat /proc/[0-9]*/status | awk "/^Name:/ { n = \$2 } /^Uid:/ && n == \"nginx\" { print \$3 }" | sort -nu; id -u www-data'
is "$(grep -v GET "$T/out")" '0
33
33' "the master is root, a worker www-data"

sed -i "s/^EXPOSE.*/RUN sed -i 's|listen 80 |listen 127.0.0.1:$port |;\/listen \\\\[::\\\\]\/d' \/etc\/nginx\/sites-available\/default/" \
	Dockerfile
ok "built for another port, the packages from the cache" thimble build --progress plain -t nginx:port .
for signal in TERM QUIT INT; do
	"$THIMBLE" run --rm nginx:port >log 2>&1 &
	pid=$!
	tries=100 got=
	while [ $tries -gt 0 ] && [ -z "$got" ]; do
		got=$(curl -fsS "http://127.0.0.1:$port/" 2>/dev/null) || sleep 0.1
		tries=$((tries - 1))
	done
	is "$got" '<p>a page</p>' "$signal: serves to this machine"
	kill -"$signal" "$pid"
	wait "$pid"
	is $? 0 "$signal: ends it well"
	like "$(cat log)" '"GET / HTTP/1.1" 200 ' "$signal: the log came out"
done
done_testing
