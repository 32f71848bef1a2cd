#!/bin/sh
# postgresql from Debian: the package's own cluster, initdb and queries as postgres inside RUN and
# inside run; volumes, /dev/shm, unix sockets, a locale.
. "$(dirname "$0")/../lib/tap.sh"
ok "the base image" "$tests/../examples/minimage/bases" --thimble "$THIMBLE" debian
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

cat >query.sql <<'S'
create table t as select i, md5(i::text) as m, chr(96 + i % 26 + 1) as c from generate_series(1, 200000) i;
analyze t;
set max_parallel_workers_per_gather = 2;
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
S
cat >count.sql <<'S'
set max_parallel_workers_per_gather = 2;
set parallel_setup_cost = 0;
set parallel_tuple_cost = 0;
set min_parallel_table_scan_size = 0;
explain (costs off) select count(*) from t where m like 'a%';
select count(*) from t where m like 'a%';
select string_agg(x, '' order by x) from (values ('z'), ('ä'), ('a')) v(x);
show lc_collate;
S
dockerfile <<'D'
FROM debian
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends postgresql locales && \
    localedef -i de_DE -f UTF-8 de_DE.UTF-8 && rm -rf /var/lib/apt/lists/*
ENV PATH=/usr/lib/postgresql/15/bin:$PATH LANG=de_DE.UTF-8 PGDATA=/data/pg
# The cluster that the package made for itself.
RUN service postgresql start && su postgres -c "psql -Atc 'select 1 + 1'" >/packaged && \
    service postgresql stop
RUN install -d -o postgres -g postgres -m 700 /data/pg
COPY --chown=postgres *.sql /sql/
USER postgres
WORKDIR /sql
RUN initdb -A trust >/dev/null && echo "listen_addresses = ''" >>$PGDATA/postgresql.conf && \
    pg_ctl -w -l /tmp/log start && psql -q -f query.sql && psql -At -f count.sql >/tmp/in-run && \
    pg_ctl -w -m fast stop
VOLUME /data
STOPSIGNAL SIGINT
CMD ["postgres"]
D
ok "built" thimble build --progress plain -t pg .
ok "the package's own cluster" thimble run --rm pg cat /packaged
is "$out" 2 "answered in RUN"
ok "initdb and a parallel query in RUN" thimble run --rm pg cat /tmp/in-run
like "$out" 'Parallel Seq Scan' "the plan is parallel"
like "$out" '^12[0-9]{3}$' "counted"
like "$out" '^aäz$' "sorted by the locale"
like "$out" '^de_DE.UTF-8$' "in the locale that was asked for"
cp "$T/out" in-run

# A volume is filled from the image, and an unnamed one ends with the container.
ok "a server and its client in one container" thimble run --rm pg sh -c \
	'pg_ctl -w -l /tmp/log start >/dev/null && psql -At -f count.sql; r=$?; pg_ctl -w stop >/dev/null; exit $r'
is "$out" "$(cat in-run)" "answers as in RUN"
ok "/dev/shm of another size" thimble run --rm --shm-size 256m pg df --output=size -k /dev/shm
like "$out" '262144' "256 MiB"

for round in 1 2; do
	"$THIMBLE" run --rm -v pgdata:/data pg postgres -h 127.0.0.1 -p "$port" \
		-c lc_messages=C >log 2>&1 &
	pid=$!
	tries=200
	while [ $tries -gt 0 ] && ! grep -q 'ready to accept' log; do sleep 0.1; tries=$((tries - 1)); done
	ok "$round: another container asks it over loopback" thimble run --rm pg \
		psql -h 127.0.0.1 -p "$port" -At -c "create table if not exists r(n int)" \
		-c "insert into r values ($round)" -c "select string_agg(n::text, ',') from r"
	like "$out" "^1$([ $round = 1 ] || echo ,2)\$" "$round: the named volume keeps what was written"
	kill -INT "$pid"
	wait "$pid"
	is $? 0 "$round: it ends well"
	like "$(cat log)" 'database system is shut down' "$round: and says so"
done
done_testing
