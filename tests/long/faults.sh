#!/bin/sh
# shellcheck disable=SC2016,SC2086  # what steps expand; words
# System calls that fail (faults.py): each command ends by itself and says so, and works afterwards.
#   FAULTS     one of so many cases is tried, other ones each day (default 25; 1: all)
#   FAULTS_OF  names of faults.py's commands, in words, to try only these
. "$(dirname "$0")/../lib/tap.sh"
base_image
mkdir b b/dir && echo text >b/f && ln -s f b/link && echo s >b/dir/s
tar -C b -cf b/a.tar f link
cat >b/Dockerfile <<'D'
FROM scratch AS files
COPY f link /
FROM base
COPY dir /copied
COPY --chown=7:8 --chmod=640 f /owned
ADD a.tar /unpacked
COPY <<END /tmpl
templ
END
COPY --from=files /f /f
RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t --mount=type=bind,source=dir,target=/b \
	--network=none echo made >/made && cp /b/s /c/s && rm -r /copied && cp -r /b /copied && rm /tmpl && echo templ >/tmpl
WORKDIR /work/dir
USER 3:4
CMD ["true"]
D
printf 'text\nmade\ns\ntext\n7:640\ntempl\n' >want
tar -C b -cf ctx.tar .
rm -f b/ctx.tar
cp "$(rootfs_tar)" in.tar
thimble build -q -t ref b >/dev/null || { echo "Bail out! cannot build"; exit 1; }
thimble save -o ref.tar ref
python3 "$tests/long/faults.py" "${FAULTS:-25}" ${FAULTS_OF-} || echo "not ok 1000 - faults.py ends well"
