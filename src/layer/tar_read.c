/* SPDX-License-Identifier: Apache-2.0 */
/* layer/tar_read.c: headers and data of the archive, in the order they come. */
#include "layer/tar_read.h"
#include "base/err.h"
#include "base/num.h"
#include "base/stream.h"
#include "layer/tar_in.h"

enum { BLOCK = 512, PIECE = 256 << 10, OLD_SPARSE_IN_HEADER = 4, OLD_SPARSE_IN_BLOCK = 21 };
#define TRAILER_MAX (64ull << 20)
#define ABOUT_MAX   (4ull << 20) /* bytes of all headers that speak about one member */

struct tar {
	struct source *in;
	uint8_t *piece; /* PIECE bytes */
	size_t at, have; /* in piece */
	struct sha256 *sum; /* of all of the archive, or NULL */
	uint64_t *size;
	size_t summed; /* in piece: what came before is in the sum */
	struct pax global, pax;
	struct buf long_name, long_link; /* of GNU's 'L' and 'K' */
	struct buf path, link;
	struct sparse sparse; /* of the member, if on */
	size_t extent; /* in sparse.map: the next one */
	uint64_t logical; /* told of a sparse member so far */
	uint64_t left; /* stored bytes of the member not yet taken */
	unsigned padding; /* behind them */
	uint64_t about; /* bytes of special headers since the last member */
	bool ended;
};

struct tar *tar_open(struct source *in)
{
	struct tar *t = NEW(struct tar);
	t->in = in;
	t->piece = mem_resize(NULL, PIECE, 1);
	return t;
}

void tar_close(struct tar *t)
{
	if (!t)
		return;
	pax_done(&t->pax);
	pax_done(&t->global);
	buf_done(&t->long_name);
	buf_done(&t->long_link);
	buf_done(&t->path);
	buf_done(&t->link);
	arr_done(&t->sparse.map);
	free(t->piece);
	free(t);
}

void tar_hash(struct tar *t, struct sha256 *sum, uint64_t *size)
{
	t->sum = sum;
	t->size = size;
}

/* What lies in the piece before `end` and is not yet in the archive's digest. */
static void sum_up_to(struct tar *t, size_t end)
{
	if (t->sum && t->summed < end)
		sha256_add(t->sum, t->piece + t->summed, end - t->summed);
	t->summed = end;
}

void tar_hash_data(struct tar *t, const void *p, uint64_t n, struct sha256 *content)
{
	if (!t->sum) {
		sha256_add(content, p, (size_t)n);
		return;
	}
	size_t from = (size_t)((const uint8_t *)p - t->piece);
	sum_up_to(t, from);
	sha256_add_both(t->sum, content, p, (size_t)n);
	t->summed = from + (size_t)n;
}

/* At least one byte in the piece: 1; 0 at the end of the input; -1. */
static int fill(struct tar *t, struct err *e)
{
	if (t->at < t->have)
		return 1;
	sum_up_to(t, t->have);
	t->at = t->have = t->summed = 0;
	ssize_t n = source_read(t->in, t->piece, PIECE, e);
	if (n <= 0)
		return (int)n;
	t->have = (size_t)n;
	if (t->size)
		*t->size += (uint64_t)n;
	return 1;
}

static int cut_short(struct err *e)
{
	return err_set(e, ERR_DATA, "the archive ends in the middle of a file");
}

/* Exactly n bytes; 0 if the input ends before the first one; else 1, -1. */
static int take(struct tar *t, void *out, size_t n, struct err *e)
{
	size_t done = 0;
	while (done < n) {
		int r = fill(t, e);
		if (r <= 0)
			return r < 0 ? -1 : done ? cut_short(e) : 0;
		size_t some = t->have - t->at < n - done ? t->have - t->at : n - done;
		memcpy((char *)out + done, t->piece + t->at, some);
		t->at += some;
		done += some;
	}
	return 1;
}

static int take_all(struct tar *t, void *out, size_t n, struct err *e)
{
	int r = take(t, out, n, e);
	return r > 0 || n == 0 ? 0 : r < 0 ? -1 : cut_short(e);
}

static int skip(struct tar *t, uint64_t n, struct err *e)
{
	while (n) {
		int r = fill(t, e);
		if (r <= 0)
			return r < 0 ? -1 : cut_short(e);
		uint64_t some = t->have - t->at < n ? t->have - t->at : n;
		t->at += (size_t)some;
		n -= some;
	}
	return 0;
}

static unsigned padding_of(uint64_t size)
{
	return (unsigned)(-size & (BLOCK - 1));
}

/* The data of a header that speaks about the next member. */
static int take_body(struct tar *t, uint64_t size, uint64_t max, const char *what, struct buf *out,
		     struct err *e)
{
	if (size > max)
		return err_set(e, ERR_DATA, "%s of %llu bytes is larger than %llu", what,
			       (unsigned long long)size, (unsigned long long)max);
	buf_clear(out);
	if (take_all(t, buf_room(out, (size_t)size + 1), (size_t)size, e) < 0)
		return -1;
	out->len += (size_t)size;
	out->p[out->len] = '\0';
	return skip(t, padding_of(size), e);
}

static bool is_zero(const uint8_t *block)
{
	for (int i = 0; i < BLOCK; i++)
		if (block[i])
			return false;
	return true;
}

/* Old writers summed signed bytes; both are in use. */
bool tar_is_header(const uint8_t *h)
{
	uint64_t want;
	unsigned plain = 0;
	int with_sign = 0;
	if (tar_number(h + 148, 8, "checksum", UINT32_MAX, &want, NULL) < 0)
		return false;
	for (int i = 0; i < BLOCK; i++) {
		uint8_t b = i >= 148 && i < 156 ? ' ' : h[i];
		plain += b;
		with_sign += (int8_t)b;
	}
	return want == plain || (int64_t)want == with_sign;
}

/* 1 and a header, 0 at the end, -1. */
static int take_header(struct tar *t, uint8_t *h, struct err *e)
{
	int r = take(t, h, BLOCK, e);
	if (r <= 0)
		return r; /* no zero blocks at the end: as old writers, and as Go's reader has it */
	if (is_zero(h)) {
		r = take(t, h, BLOCK, e);
		if (r > 0 && !is_zero(h))
			return err_set(e, ERR_DATA,
				       "the archive is damaged (a block of zeros before a header)");
		return r < 0 ? -1 : 0;
	}
	if (!tar_is_header(h))
		return err_set(
			e, ERR_DATA,
			"this is not a tar archive, or it is damaged (checksum of a header)");
	return 1;
}

static int drain(struct tar *t, struct err *e)
{
	uint64_t sum = 0;
	int r;
	t->ended = true;
	while ((r = fill(t, e)) > 0) {
		sum += t->have - t->at;
		t->at = t->have;
		if (sum > TRAILER_MAX)
			return err_set(e, ERR_DATA,
				       "too much follows behind the end of the archive");
	}
	return r;
}

static void put_field(struct buf *out, const uint8_t *p, size_t n)
{
	buf_add(out, p, strnlen((const char *)p, n));
}

static bool is_posix(const uint8_t *h)
{
	return memcmp(h + 257, "ustar\0", 6) == 0;
}

/* The name of the plain header: prefix and name; GNU uses the prefix for other things. */
static void header_name(const uint8_t *h, struct buf *out)
{
	buf_clear(out);
	buf_str(out, "");
	if (is_posix(h) && h[345]) {
		bool star = memcmp(h + 508, "tar\0", 4) == 0;
		put_field(out, h + 345, star ? 131 : 155);
		buf_char(out, '/');
	}
	put_field(out, h, 100);
}

static int check_text(const struct buf *b, const char *what, struct err *e)
{
	if (b->len == 0)
		return err_set(e, ERR_DATA, "the archive has a file with an empty %s", what);
	if (b->len > TAR_PATH_MAX)
		return err_set(e, ERR_DATA, "a %s in the archive is longer than %d bytes", what,
			       TAR_PATH_MAX);
	return 0;
}

static int set_names(struct tar *t, const uint8_t *h, struct tar_entry *out, struct err *e)
{
	header_name(h, &t->path);
	const char *better = t->pax.sparse_name ? t->pax.sparse_name : t->pax.path;
	if (!better && t->long_name.len)
		better = t->long_name.p;
	if (better) {
		buf_clear(&t->path);
		buf_str(&t->path, better);
	}
	if (check_text(&t->path, "name", e) < 0)
		return -1;
	out->path = t->path.p;
	if (out->type != TAR_HARDLINK && out->type != TAR_SYMLINK)
		return 0;
	buf_clear(&t->link);
	buf_str(&t->link, "");
	if (t->pax.link || t->long_link.len)
		buf_str(&t->link, t->pax.link ? t->pax.link : t->long_link.p);
	else
		put_field(&t->link, h + 157, 100);
	if (check_text(&t->link, "link target", e) < 0)
		return err_add(e, "'%s'", out->path);
	out->link = t->link.p;
	return 0;
}

static int set_numbers(struct tar *t, const uint8_t *h, struct tar_entry *out, struct err *e)
{
	uint64_t mode, uid = t->pax.uid, gid = t->pax.gid, major = 0, minor = 0;
	bool node = out->type == TAR_CHAR || out->type == TAR_BLOCK;
	if (tar_number(h + 100, 8, "mode", UINT32_MAX, &mode, e) < 0)
		return -1;
	if (!t->pax.have_uid && tar_number(h + 108, 8, "owner", UINT32_MAX - 1, &uid, e) < 0)
		return -1;
	if (!t->pax.have_gid && tar_number(h + 116, 8, "group", UINT32_MAX - 1, &gid, e) < 0)
		return -1;
	if (t->pax.have_mtime) {
		out->mtime = t->pax.mtime;
		out->mtime_ns = t->pax.mtime_ns;
	} else if (tar_time(h + 136, 12, &out->mtime, e) < 0) {
		return -1;
	}
	if (node && (tar_number(h + 329, 8, "device number", 0xfff, &major, e) < 0 ||
		     tar_number(h + 337, 8, "device number", 0xfffff, &minor, e) < 0))
		return -1;
	out->mode = mode & 07777;
	out->uid = (uint32_t)uid;
	out->gid = (uint32_t)gid;
	out->major = (uint32_t)major;
	out->minor = (uint32_t)minor;
	return 0;
}

static int old_sparse_pairs(struct sparse *s, const uint8_t *p, int n, struct err *e)
{
	for (int i = 0; i < n; i++, p += 24) {
		uint64_t at, len;
		if (p[0] == 0)
			return 0; /* fewer pairs than there is room for */
		if (tar_number(p, 12, "sparse map", INT64_MAX, &at, e) < 0 ||
		    tar_number(p + 12, 12, "sparse map", INT64_MAX, &len, e) < 0 ||
		    sparse_add(s, at, len, e) < 0)
			return -1;
	}
	return 0;
}

/* GNU's old form: four pairs in the header, more in blocks behind it. */
static int old_sparse(struct tar *t, const uint8_t *h, struct err *e)
{
	struct sparse *s = &t->sparse;
	uint8_t more[BLOCK];
	s->on = true;
	if (tar_number(h + 483, 12, "size", INT64_MAX, &s->size, e) < 0 ||
	    old_sparse_pairs(s, h + 386, OLD_SPARSE_IN_HEADER, e) < 0)
		return -1;
	for (bool goes_on = h[482]; goes_on; goes_on = more[504]) {
		size_t before = s->map.n;
		if (take_all(t, more, BLOCK, e) < 0 ||
		    old_sparse_pairs(s, more, OLD_SPARSE_IN_BLOCK, e) < 0)
			return -1;
		if (s->map.n == before) /* empty ones could go on for ever */
			return err_set(e, ERR_DATA, "the map of a sparse file is damaged");
	}
	return 0;
}

/* One decimal number and its newline out of the data (format 1.0). */
static int take_line(struct tar *t, uint64_t *out, struct err *e)
{
	char digits[24];
	for (size_t n = 0; n < sizeof digits; n++) {
		if (t->left == 0)
			break;
		if (take_all(t, &digits[n], 1, e) < 0)
			return -1;
		t->left--;
		if (digits[n] != '\n')
			continue;
		if (num_parse((struct slice){ digits, n }, INT64_MAX, out) == 0)
			return 0;
		break;
	}
	return err_set(e, ERR_DATA, "the map of a sparse file is damaged");
}

static int take_sparse_map(struct tar *t, struct err *e)
{
	uint64_t begin = t->left, n, at, len;
	if (take_line(t, &n, e) < 0)
		return -1;
	if (n > SPARSE_EXTENTS_MAX)
		return err_set(e, ERR_DATA, "a sparse file has more than %u pieces",
			       SPARSE_EXTENTS_MAX);
	while (n--)
		if (take_line(t, &at, e) < 0 || take_line(t, &len, e) < 0 ||
		    sparse_add(&t->sparse, at, len, e) < 0)
			return -1;
	unsigned pad = padding_of(begin - t->left);
	if (pad > t->left)
		return err_set(e, ERR_DATA, "the map of a sparse file is damaged");
	t->left -= pad;
	return skip(t, pad, e);
}

static int set_sparse(struct tar *t, const uint8_t *h, struct err *e)
{
	struct pax *p = &t->pax;
	arr_clear(&t->sparse.map);
	t->sparse.on = false;
	t->extent = 0;
	t->logical = 0;
	if (h[156] == 'S') {
		if (old_sparse(t, h, e) < 0)
			return -1;
	} else if (p->sparse.on) {
		t->sparse.on = true;
		t->sparse.size = p->sparse.size;
		if (!p->sparse.have_size || p->sparse.pending)
			return err_set(e, ERR_DATA, "the map of a sparse file is damaged");
		arr_each(x, &p->sparse.map)
			if (sparse_add(&t->sparse, x->at, x->len, e) < 0)
				return -1;
		if (p->have_sparse_major && p->sparse_major != 0) {
			if (p->sparse_major != 1 || p->sparse_minor != 0)
				return err_set(e, ERR_DATA, "sparse format %u.%u is not known",
					       p->sparse_major, p->sparse_minor);
			arr_clear(&t->sparse.map);
			if (take_sparse_map(t, e) < 0)
				return -1;
		}
	}
	return t->sparse.on ? sparse_check(&t->sparse, t->left, e) : 0;
}

/* -1 for a letter that means nothing to us. */
static int type_of(uint8_t flag, const struct buf *path)
{
	switch (flag) {
	case '0':
	case '\0':
	case '7':
	case 'S':
		/* v7 had no type for directories but the slash */
		return path->len && path->p[path->len - 1] == '/' && flag != 'S' ? TAR_DIR
										 : TAR_FILE;
	case '1': return TAR_HARDLINK;
	case '2': return TAR_SYMLINK;
	case '3': return TAR_CHAR;
	case '4': return TAR_BLOCK;
	case '5': return TAR_DIR;
	case '6': return TAR_FIFO;
	default: return -1;
	}
}

/* A member: everything told about it so far is put together. */
static int set_member(struct tar *t, const uint8_t *h, uint64_t size, struct tar_entry *out,
		      struct err *e)
{
	*out = (struct tar_entry){ 0 };
	header_name(h, &t->path);
	const char *name = t->pax.path        ? t->pax.path
			   : t->long_name.len ? t->long_name.p
					      : t->path.p;
	int type = type_of(h[156], &(struct buf){ .p = (char *)name, .len = strlen(name) });
	if (type < 0)
		return err_set(e, ERR_DATA, "'%s' is of a type that is not known ('%c', %u)", name,
			       h[156] > ' ' && h[156] < 127 ? h[156] : '?', h[156]);
	out->type = (enum tar_type)type;
	if (set_names(t, h, out, e) < 0)
		return -1;
	if (set_numbers(t, h, out, e) < 0)
		return err_add(e, "'%s'", out->path);
	/* only files have bytes; what other headers say there is old writers' noise */
	t->left = type == TAR_FILE ? size : 0;
	t->padding = padding_of(t->left);
	if (type == TAR_FILE && set_sparse(t, h, e) < 0)
		return err_add(e, "'%s'", out->path);
	if (type != TAR_FILE)
		t->sparse.on = false;
	out->size = t->sparse.on ? t->sparse.size : t->left;
	pax_sort_xattrs(&t->pax);
	out->xattrs = t->pax.xattrs.p;
	out->xattrs_n = t->pax.xattrs.n;
	return 0;
}

static int take_pax(struct tar *t, uint64_t size, bool global, struct err *e)
{
	_cleanup_(buf_done) struct buf body = { 0 };
	if (take_body(t, size, TAR_PAX_MAX, "an extended header", &body, e) < 0)
		return -1;
	return pax_parse(global ? &t->global : &t->pax, buf_view(&body), global, e);
}

/* Headers that speak about others. 1: it was one; 0: it is a member; -1. */
static int take_special(struct tar *t, const uint8_t *h, uint64_t size, struct err *e)
{
	int r;
	if (strchr("xXgLKV", h[156]) && h[156] && (t->about += BLOCK + size) > ABOUT_MAX)
		return err_set(e, ERR_DATA,
			       "the extended headers of one file are larger than %llu bytes",
			       ABOUT_MAX);
	switch (h[156]) {
	case 'x':
	case 'X': r = take_pax(t, size, false, e); break;
	case 'g': r = take_pax(t, size, true, e); break;
	case 'L': r = take_body(t, size, TAR_PATH_MAX + 1, "a long name", &t->long_name, e); break;
	case 'K': r = take_body(t, size, TAR_PATH_MAX + 1, "a long link", &t->long_link, e); break;
	case 'V': r = skip(t, size + padding_of(size), e); break; /* the volume's label */
	default: return 0;
	}
	return r < 0 ? -1 : 1;
}

static int finish_member(struct tar *t, struct err *e)
{
	if (skip(t, t->left, e) < 0 || skip(t, t->padding, e) < 0)
		return -1;
	t->left = 0;
	t->padding = 0;
	return 0;
}

/* pax "x" headers add to the global ones, which may still change before the member comes. */
static void begin_member(struct tar *t)
{
	t->about = 0;
	buf_clear(&t->long_name);
	buf_clear(&t->long_link);
	pax_done(&t->pax);
	pax_copy(&t->pax, &t->global);
}

int tar_next(struct tar *t, struct tar_entry *out, struct err *e)
{
	uint8_t h[BLOCK];
	bool promised = false; /* a special header came, so a member has to */
	int r;

	if (t->ended)
		return 0;
	if (finish_member(t, e) < 0)
		return -1;
	begin_member(t);
	while ((r = take_header(t, h, e)) > 0) {
		uint64_t size;
		if (tar_number(h + 124, 12, "size", INT64_MAX - BLOCK, &size, e) < 0)
			return -1;
		int special = take_special(t, h, size, e);
		if (special < 0)
			return -1;
		if (!special)
			return set_member(t, h, t->pax.have_size ? t->pax.size : size, out, e) < 0
				       ? -1
				       : 1;
		promised |= h[156] != 'g' && h[156] != 'V';
		if (h[156] == 'g' && !promised) {
			pax_done(&t->pax);
			pax_copy(&t->pax, &t->global);
		}
	}
	if (r < 0)
		return -1;
	if (promised)
		return cut_short(e);
	return drain(t, e);
}

/* The next stored bytes, at most `max`. */
static int stored(struct tar *t, uint64_t max, const void **p, uint64_t *n, struct err *e)
{
	int r = fill(t, e);
	if (r <= 0)
		return r < 0 ? -1 : cut_short(e);
	uint64_t some = t->have - t->at;
	if (some > max)
		some = max;
	*p = t->piece + t->at;
	*n = some;
	t->at += (size_t)some;
	t->left -= some;
	return 1;
}

int tar_data(struct tar *t, const void **p, uint64_t *n, struct err *e)
{
	if (!t->sparse.on)
		return t->left ? stored(t, t->left, p, n, e) : 0;

	while (t->extent < t->sparse.map.n) {
		const struct extent *x = &t->sparse.map.p[t->extent];
		if (t->logical < x->at) {
			*p = NULL;
			*n = x->at - t->logical;
			t->logical = x->at;
			return 1;
		}
		uint64_t rest = x->at + x->len - t->logical;
		if (rest == 0) {
			t->extent++;
			continue;
		}
		int r = stored(t, rest, p, n, e);
		if (r > 0)
			t->logical += *n;
		return r;
	}
	if (t->logical == t->sparse.size)
		return 0;
	*p = NULL;
	*n = t->sparse.size - t->logical;
	t->logical = t->sparse.size;
	return 1;
}
