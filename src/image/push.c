/* SPDX-License-Identifier: Apache-2.0 */
#include "image/push.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/num.h"
#include "image/spool.h"
#include "sandbox/userns.h"
#include "store/image_origin.h"

enum { MOUNTS_MAX = 3 }; /* repositories that are asked for a blob */

struct push {
	struct store *s;
	const struct push_opts *o;
	const struct reference *to;
	struct registry_opts ropts;
	struct registry *r;
	char *repo; /* "host/path" */
	struct image im;
	struct outgoing out;
	ARRAY_OF(size_t) once; /* positions of the layers, each diff id once */
	struct transfer *t; /* in a child */
};

static void push_note(void *ctx, const char *text)
{
	struct push *p = ctx;
	if (p->t)
		transfer_note(p->t, text);
	else if (p->o->events && p->o->events->note)
		p->o->events->note(p->o->events->ctx, text);
}

/* ---- one layer, in a child ---- */

static void moved(void *t, int64_t n)
{
	transfer_moved(t, n);
}

/* A file whose digest is known. */
struct known {
	int fd;
	const struct descriptor *d;
};

static ssize_t known_pread(void *ctx, void *p, size_t n, uint64_t at, struct err *e)
{
	const struct known *k = ctx;
	ssize_t got = fd_pread(k->fd, p, n, at);
	return got < 0 ? err_sys(e, "read a layer") : got;
}

static int known_digest(void *ctx, struct digest *out, uint64_t *size, struct err *e)
{
	(void)e;
	const struct known *k = ctx;
	*out = k->d->digest;
	*size = k->d->size;
	return 0;
}

/* It is not read beforehand: the registry checks the digest. What it refuses may be damaged here; then
 * that is told, and the blob goes, so that it can be loaded again. */
static int send_blob(struct push *p, const struct outgoing_layer *l, struct upload *u,
		     struct err *e)
{
	_cleanup_(err_done) struct err why = { 0 }, own = { 0 };
	_close_ int fd = blob_open(p->s, &l->desc.digest, NULL, e);
	struct known k = { fd, &l->desc };
	const struct upload_from from = { &k, known_pread, (int64_t)l->desc.size, known_digest };
	if (fd < 0)
		return -1;
	if (registry_blob_put(p->r, u, &from, moved, p->t, &why) == 0)
		return 0;
	bool refused = why.kind == ERR_DATA || why.kind == ERR_NET; /* 400, but some say 500 */
	bool damaged = refused && blob_check(p->s, &l->desc.digest, &own) < 0 &&
		       own.kind == ERR_DATA;
	err_move(e, damaged ? &own : &why);
	return -1;
}

/* A layer that is compressed, or just written, while it is sent. */
struct making {
	struct push *p;
	struct outgoing_layer *l;
	struct spool spool;
	struct err err;
	int result;
};

static int make(struct making *m)
{
	if (m->l->from == OUTGOING_PACK)
		return outgoing_pack(m->p->s, m->l, m->p->o->outgoing.level, &m->spool.base,
				     &m->err);
	if (outgoing_layer_write(m->p->s, m->l, &m->spool.base, &m->err) < 0)
		return -1;
	return sink_finish(&m->spool.base, &m->err);
}

static void *make_thread(void *arg)
{
	struct making *m = arg;
	m->result = make(m);
	if (m->result < 0)
		spool_break(&m->spool);
	return NULL;
}

static ssize_t making_pread(void *ctx, void *p, size_t n, uint64_t at, struct err *e)
{
	return spool_pread(&((struct making *)ctx)->spool, p, n, at, e);
}

/* After the end was read, so the maker has filled in the descriptor. */
static int making_digest(void *ctx, struct digest *out, uint64_t *size, struct err *e)
{
	(void)e;
	const struct making *m = ctx;
	*out = m->l->desc.digest;
	*size = m->l->desc.size;
	return 0;
}

static int send_making(struct push *p, struct making *m, struct upload *u, struct err *e)
{
	const struct upload_from from = { m, making_pread, -1, making_digest };
	pthread_t thread;
	int no = pthread_create(&thread, NULL, make_thread, m);
	if (no) {
		errno = no;
		return err_sys(e, "start a thread");
	}
	int r = registry_blob_put(p->r, u, &from, moved, p->t, e);
	if (r < 0)
		spool_break(&m->spool);
	pthread_join(thread, NULL);
	if (m->result < 0 && (r == 0 || (e && e->kind == ERR_SYS)))
		err_move(e, &m->err); /* why the upload found no more to send */
	return r < 0 || m->result < 0 ? -1 : 0;
}

static int send_tree(struct push *p, struct outgoing_layer *l, struct upload *u, struct err *e)
{
	_close_ int fd = -1;
	_free_ char *tmp = store_tmp_file(p->s, O_RDWR, &fd, e);
	if (!tmp)
		return -1;
	(void)unlinkat(store_fd(p->s), tmp, 0); /* nobody else needs its name */
	struct making m = { .p = p, .l = l };
	spool_init(&m.spool, fd);
	int r = send_making(p, &m, u, e);
	spool_done(&m.spool);
	err_done(&m.err);
	return r;
}

/* 1: the registry has it now, 0: it has to be sent; *u is perhaps begun. */
static int find_there(struct push *p, const struct digest *d, struct upload **u, struct err *e)
{
	_cleanup_(strs_done) struct strs places = { 0 };
	_free_ char *host = str_printf("%s/", p->to->host);
	if (digest_is_zero(d))
		return 0;
	int r = registry_blob_has(p->r, d, NULL, e);
	if (r > 0)
		transfer_is(p->t, TRANSFER_THERE);
	if (r != 0)
		return r;
	blob_places(p->s, d, &places);
	unsigned asked = 0;
	for (size_t i = places.n; i-- > 0 && asked < MOUNTS_MAX && !*u;) {
		if (!slice_starts(slice_of(places.p[i]), slice_of(host)) ||
		    strcmp(places.p[i], p->repo) == 0)
			continue;
		asked++;
		r = registry_blob_mount(p->r, d, places.p[i] + strlen(host), u, e);
		if (r > 0)
			transfer_is(p->t, TRANSFER_MOUNTED);
		if (r != 0)
			return r;
	}
	return 0;
}

static int send_layer(struct push *p, struct outgoing_layer *l, struct err *e)
{
	struct upload *u = NULL;
	int r = find_there(p, &l->desc.digest, &u, e);
	if (r != 0)
		return r < 0 ? -1 : 0;
	if (l->from == OUTGOING_BLOB)
		return send_blob(p, l, u, e);
	return send_tree(p, l, u, e);
}

/* What comes back: "DIGEST SIZE". */
static int work(void *ctx, size_t i, struct transfer *t, struct buf *out, struct err *e)
{
	struct push *p = ctx;
	struct outgoing_layer *l = &p->out.layers.p[p->once.p[i]];
	char text[DIGEST_LEN];
	p->t = t;
	registry_after_fork(p->r);
	if (send_layer(p, l, e) < 0)
		return err_add(e, "layer %zu of %zu", p->once.p[i] + 1, p->out.layers.n);
	if (t)
		transfer_total(t, (int64_t)l->desc.size);
	buf_printf(out, "%s %" PRIu64, digest_text(&l->desc.digest, text), l->desc.size);
	return 0;
}

static int result(void *ctx, size_t i, struct slice bytes, struct err *e)
{
	struct push *p = ctx;
	const struct digest diff = p->out.layers.p[p->once.p[i]].diff_id;
	struct digest d;
	struct slice word;
	uint64_t size;
	if (!slice_split(&bytes, ' ', &word) || digest_parse(word, &d, NULL) < 0 ||
	    num_parse(bytes, INT64_MAX, &size) < 0)
		return err_set(e, ERR_DATA, "the answer of a transfer is damaged");
	arr_each(it, &p->out.layers)
		if (digest_eq(&it->diff_id, &diff)) {
			it->desc.digest = d;
			it->desc.size = size;
		}
	return blob_place_add(p->s, &d, p->repo, e);
}

static void describe(void *ctx, size_t i, char name[static 16], int64_t *total)
{
	struct push *p = ctx;
	const struct outgoing_layer *l = &p->out.layers.p[p->once.p[i]];
	char hex[SHA256_HEX];
	(void)snprintf(name, 16, "%.12s", digest_hex(&l->diff_id, hex));
	*total = l->desc.size ? (int64_t)l->desc.size : -1;
}

/* ---- the image ---- */

static int send_layers(struct push *p, struct err *e)
{
	bool trees = false;
	for (size_t i = 0; i < p->out.layers.n; i++) {
		bool twice = false;
		for (size_t k = 0; k < i; k++)
			twice |= digest_eq(&p->out.layers.p[k].diff_id,
					   &p->out.layers.p[i].diff_id);
		if (!twice)
			arr_push(&p->once, i);
		trees |= p->out.layers.p[i].from != OUTGOING_BLOB;
	}
	if (p->o->begun)
		p->o->begun(p->o->ctx, p->to, p->once.n);
	const struct transfer_work w = {
		.n = p->once.n,
		.events = p->o->events,
		.ctx = p,
		.describe = describe,
		.work = work,
		.result = result,
	};
	if (trees && userns_enter(e) < 0)
		return -1;
	return transfers_run(p->s, &w, e);
}

static int send_config(struct push *p, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	struct digest put;
	int r = registry_blob_has(p->r, &p->im.id, NULL, e);
	if (r != 0)
		return r < 0 ? -1 : 0;
	if (blob_read(p->s, &p->im.id, &b, e) < 0 ||
	    registry_blob_put_bytes(p->r, buf_view(&b), &put, e) < 0)
		return err_add(e, "send the config");
	return 0;
}

static int send_manifest(struct push *p, struct pushed *out, struct err *e)
{
	char text[DIGEST_LEN];
	const struct outgoing *g = &p->out;
	const char *what = p->to->tag && !p->o->by_digest ? p->to->tag
							  : digest_text(&g->manifest_digest, text);
	if (registry_manifest_put(p->r, what, (struct slice){ g->manifest, g->manifest_n },
				  g->media_type, NULL, e) < 0) {
		if (e && e->kind == ERR_DATA && strcmp(g->media_type, MT_OCI_MANIFEST) == 0)
			err_hint(e,
				 "an old registry may not know OCI's formats: try --format docker");
		return -1;
	}
	*out = (struct pushed){ g->manifest_digest, g->manifest_n, g->media_type };
	return image_origin_add(p->s, &p->im.manifest_digest, p->repo, &g->manifest_digest, e);
}

static int push_all(struct push *p, const char *what, struct pushed *out, struct err *e)
{
	if (image_open(p->s, what, &p->im, e) < 0 ||
	    outgoing_plan(p->s, &p->im, &p->o->outgoing, &p->out, e) < 0)
		return -1;
	p->r = registry_open(&p->ropts, p->to, REGISTRY_PUSH, e);
	if (!p->r || send_layers(p, e) < 0 || send_config(p, e) < 0 ||
	    outgoing_finish(p->s, &p->im, &p->o->outgoing, &p->out, e) < 0)
		return -1;
	return send_manifest(p, out, e);
}

int image_push(struct store *s, const char *what, const struct reference *to,
	       const struct push_opts *o, struct pushed *out, struct err *e)
{
	struct push p = { .s = s, .o = o, .to = to, .ropts = *o->registry };
	_free_ char *name = reference_familiar(to);
	p.repo = str_printf("%s/%s", to->host, to->path);
	p.ropts.note = push_note;
	p.ropts.ctx = &p;
	int r = push_all(&p, what, out, e);
	registry_close(p.r);
	outgoing_done(s, &p.out);
	image_done(&p.im);
	arr_done(&p.once);
	free(p.repo);
	return r < 0 ? err_add(e, "push '%s'", name) : 0;
}
