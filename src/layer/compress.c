/* SPDX-License-Identifier: Apache-2.0 */
/* layer/compress.c: which compression it is, and the way to inflate.c and the compressors. */
#include "layer/compress.h"
#include "base/err.h"
#include "layer/codec.h"
#include "layer/tar_in.h"

const char *comp_name(enum compression c)
{
	static const char *const names[] = {
		[COMP_NONE] = "none",   [COMP_GZIP] = "gzip", [COMP_ZSTD] = "zstd",
		[COMP_BZIP2] = "bzip2", [COMP_XZ] = "xz",
	};
	return (size_t)c < COUNT_OF(names) ? names[c] : "unknown";
}

/* gzip: RFC 1952, 2.3.1; zstd: RFC 8878, 3.1.1 and 3.1.2 (skippable frames may come first);
 * xz: xz-file-format.txt, 2.1.1.1. */
enum compression comp_sniff(const void *p, size_t n)
{
	const uint8_t *b = p;
	if (n >= 3 && memcmp(b, "\x1f\x8b\x08", 3) == 0)
		return COMP_GZIP;
	if (n >= 4 && memcmp(b, "\x28\xb5\x2f\xfd", 4) == 0)
		return COMP_ZSTD;
	if (n >= 4 && (b[0] & 0xf0) == 0x50 && memcmp(b + 1, "\x2a\x4d\x18", 3) == 0)
		return COMP_ZSTD;
	if (n >= 4 && memcmp(b, "BZh", 3) == 0 && b[3] >= '1' && b[3] <= '9')
		return COMP_BZIP2;
	if (n >= 6 && memcmp(b,
			     "\xfd"
			     "7zXZ\0",
			     6) == 0)
		return COMP_XZ;
	return COMP_NONE;
}

/* The looked-at bytes first, then the rest of `in`; an inflater (if any) owns this. */
struct replay {
	struct source base;
	struct source *in;
	char head[8];
	size_t at, have;
};

static ssize_t replay_read(struct source *s, void *p, size_t n, struct err *e)
{
	struct replay *r = (struct replay *)s;
	if (r->at == r->have)
		return source_read(r->in, p, n, e);
	if (n > r->have - r->at)
		n = r->have - r->at;
	memcpy(p, r->head + r->at, n);
	r->at += n;
	return (ssize_t)n;
}

static void replay_close(struct source *s)
{
	free(s);
}

static struct replay *replay_new(struct source *in)
{
	static const struct source_ops ops = { replay_read, replay_close };
	struct replay *r = NEW(struct replay);
	r->base.ops = &ops;
	r->in = in;
	return r;
}

struct source *comp_source_auto(struct source *in, enum compression *found, struct err *e)
{
	struct replay *r = replay_new(in);
	ssize_t n = source_full(in, r->head, sizeof r->head, e);
	if (n < 0) {
		free(r);
		return NULL;
	}
	r->have = (size_t)n;
	enum compression c = comp_sniff(r->head, r->have);
	if (found)
		*found = c;
	return c == COMP_NONE ? &r->base : inflate_source(&r->base, c, e);
}

/* Writes through, for COMP_NONE. */
struct pass {
	struct sink base;
	struct sink *out;
};

static int pass_write(struct sink *s, const void *p, size_t n, struct err *e)
{
	return sink_write(((struct pass *)s)->out, p, n, e);
}

static void pass_close(struct sink *s)
{
	free(s);
}

struct sink *comp_sink(struct sink *out, enum compression c, int level, struct err *e)
{
	static const struct sink_ops pass_ops = { .write = pass_write, .close = pass_close };
	struct pass *pass;
	switch (c) {
	case COMP_NONE:
		pass = NEW(struct pass);
		pass->base.ops = &pass_ops;
		pass->out = out;
		return &pass->base;
	case COMP_GZIP: return gzip_sink(out, level, 0, e);
	case COMP_ZSTD: return zstd_sink(out, level, 0, e);
	case COMP_BZIP2:
	case COMP_XZ: break;
	}
	(void)err_set(e, ERR_USER, "layers are not written as %s", comp_name(c));
	(void)err_hint(e, "gzip and zstd are what registries take");
	return NULL;
}

bool tar_sniff(const void *p, size_t n)
{
	return n >= 512 && tar_is_header(p);
}
