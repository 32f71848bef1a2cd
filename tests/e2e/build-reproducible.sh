#!/bin/sh
# --reproducible: the same input gives the same image, in another store and at another time.
. "$(dirname "$0")/../lib/tap.sh"
base_image
thimble save -o "$T/base.tar" base
dockerfile <<'D'
FROM base AS one
RUN mkdir -p /x/y && echo hi >/x/y/f && ln /x/y/f /x/g && ln -s f /x/l && chown -R 7:8 /x
WORKDIR /w
COPY f .
FROM one
RUN touch /x/y/f && rm /x/g && mkdir /q
CMD ["true"]
D
echo file >f
ok "builds" thimble build -q --reproducible .
first=$out
ok "loads the base into another store" thimble --root "$T/other" load -q -i "$T/base.tar"
sleep 1
touch f
ok "builds there" thimble --root "$T/other" build -q --reproducible .
is "$out" "$first" "the image is the same"
is "$(thimble inspect --format '{{.Created}}' "$first")" "1970-01-01T00:00:00Z" "it was created at the epoch"

export SOURCE_DATE_EPOCH=86400
ok "an epoch from the environment" thimble build -q .
ok "alone" thimble build -q -o type=tar,dest="$T/plain.tar" .
ok "and with rewrite-timestamp" thimble build -q -o type=tar,dest="$T/clamped.tar",rewrite-timestamp=true .
young() { TZ=UTC tar tvf "$1" ./q 2>/dev/null || TZ=UTC tar tvf "$1" q/; }
like "$(young "$T/clamped.tar")" "1970-01-02" "files of RUN have the epoch's time"
unlike "$(young "$T/plain.tar")" "1970-01-02" "and without it their own"
unset SOURCE_DATE_EPOCH
fails 1 "rewrite-timestamp without an epoch" thimble build -q -o type=image,rewrite-timestamp=true .
like "$err" "needs an epoch" "says what it needs"
done_testing
