/* SPDX-License-Identifier: Apache-2.0 */
#include "store/owner.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fs.h"
#include "base/num.h"

#define STORE_FORMAT 1

/* ---- who we are ---- */

struct extent {
	uint64_t inside, outside, n;
};

static size_t read_id_map(const char *path, struct extent *out, size_t max)
{
	_cleanup_(buf_done) struct buf b = { .max = STAMP_MAX };
	if (fs_read(AT_FDCWD, path, STAMP_MAX, &b, NULL) < 0)
		return 0;
	struct slice rest = buf_view(&b), line;
	size_t n = 0;
	while (n < max && slice_split(&rest, '\n', &line)) {
		uint64_t v[3];
		size_t k = 0;
		struct slice word;
		while (k < 3 && slice_split(&line, ' ', &word))
			if (word.n && num_parse(word, UINT32_MAX, &v[k++]) < 0)
				return 0;
		if (k == 3)
			out[n++] = (struct extent){ v[0], v[1], v[2] };
	}
	return n;
}

/* The id that is 0 inside, and the range that follows it. */
static bool map_ids(const struct extent *x, size_t n, uint32_t *id, uint32_t *sub, uint32_t *sub_n)
{
	bool found = false;
	for (size_t i = 0; i < n; i++) {
		if (x[i].inside == 0) {
			*id = (uint32_t)x[i].outside;
			found = true;
		}
		if (x[i].inside == 0 && x[i].n > 1) {
			*sub = (uint32_t)x[i].outside + 1;
			*sub_n = (uint32_t)x[i].n - 1;
		} else if (x[i].inside == 1) {
			*sub = (uint32_t)x[i].outside;
			*sub_n = (uint32_t)x[i].n;
		}
	}
	return found;
}

int owner_find(const struct store_opts *o, struct owner *out, struct err *e)
{
	*out = (struct owner){ 0 };
	if (geteuid() != 0) {
		out->user = true;
		if (o->ids)
			out->ids = *o->ids;
		out->ids.uid = geteuid();
		out->ids.gid = getegid();
		out->ids_known = out->ids.sub_uid_n > 0;
		return 0;
	}
	struct extent u[8], g[8];
	size_t un = read_id_map("/proc/self/uid_map", u, COUNT_OF(u));
	size_t gn = read_id_map("/proc/self/gid_map", g, COUNT_OF(g));
	if (un == 1 && u[0].inside == 0 && u[0].outside == 0 && u[0].n == UINT32_MAX)
		return 0;
	out->user = true;
	if (!map_ids(u, un, &out->ids.uid, &out->ids.sub_uid, &out->ids.sub_uid_n) ||
	    !map_ids(g, gn, &out->ids.gid, &out->ids.sub_gid, &out->ids.sub_gid_n)) {
		err_set(e, ERR_DENIED, "the user namespace's id maps cannot be read");
		return err_hint(e, "is /proc mounted?");
	}
	for (size_t i = 0; i < un; i++) /* nobody gives a whole container one id */
		out->entered = out->entered || (u[i].inside == 0 && u[i].n == 1);
	out->ids_known = true;
	return 0;
}

int owner_check(const struct store *s, struct err *e)
{
	struct stat st;
	if (fstat(s->fd, &st) < 0)
		return err_sys(e, "stat '%s'", s->path);
	if (st.st_uid != geteuid()) {
		err_set(e, ERR_DENIED, "the store '%s' belongs to another user (uid %u)", s->path,
			(unsigned)st.st_uid);
		return err_hint(e,
				"use one of your own (--root DIR); to copy images, its owner runs "
				"'thimble --root %s save -o images.tar NAME...', then you "
				"'thimble load -i images.tar'",
				s->path);
	}
	if ((st.st_mode & 077) || (st.st_mode & 0700) != 0700) {
		err_set(e, ERR_DENIED, "the store '%s' has mode %04o, so others could change it",
			s->path, (unsigned)st.st_mode & 07777);
		return err_hint(e, "chmod 0700 '%s', if nobody else could write there until now",
				s->path);
	}
	return 0;
}

/* ---- the stamp ---- */

struct stamp {
	uint64_t format;
	bool user, has_ids;
	struct store_ids ids;
};

int stamp_write(struct store *s, const struct owner *who, struct err *e)
{
	_cleanup_(buf_done) struct buf b = { 0 };
	buf_printf(&b, "thimble-store %d\nmode %s\n", STORE_FORMAT, who->user ? "user" : "root");
	if (who->user)
		buf_printf(&b, "owner %u %u\n", who->ids.uid, who->ids.gid);
	if (who->user && who->ids_known)
		buf_printf(&b, "subordinate %u %u %u %u\n", who->ids.sub_uid, who->ids.sub_uid_n,
			   who->ids.sub_gid, who->ids.sub_gid_n);
	return store_write(s, "stamp", buf_view(&b), true, e);
}

static bool parse_words(struct slice line, size_t want, uint32_t *out)
{
	struct slice word;
	size_t n = 0;
	while (slice_split(&line, ' ', &word)) {
		uint64_t v;
		if (n == want || num_parse(word, UINT32_MAX, &v) < 0)
			return false;
		out[n++] = (uint32_t)v;
	}
	return n == want;
}

static int parse_stamp(struct slice text, struct stamp *out)
{
	struct slice line;
	while (slice_split(&text, '\n', &line)) {
		uint32_t v[4];
		struct slice rest = line, key;
		if (line.n == 0)
			continue;
		if (!slice_split(&rest, ' ', &key) || !rest.p)
			return -1;
		if (slice_is(key, "thimble-store")) {
			if (num_parse(rest, UINT32_MAX, &out->format) < 0)
				return -1;
			if (out->format != STORE_FORMAT)
				return 0; /* the rest may mean anything */
		} else if (slice_is(key, "mode")) {
			out->user = slice_is(rest, "user");
			if (!out->user && !slice_is(rest, "root"))
				return -1;
		} else if (slice_is(key, "owner")) {
			if (!parse_words(rest, 2, v))
				return -1;
			out->ids.uid = v[0];
			out->ids.gid = v[1];
		} else if (slice_is(key, "subordinate")) {
			if (!parse_words(rest, 4, v))
				return -1;
			out->has_ids = true;
			out->ids.sub_uid = v[0];
			out->ids.sub_uid_n = v[1];
			out->ids.sub_gid = v[2];
			out->ids.sub_gid_n = v[3];
		} else {
			return -1;
		}
	}
	return out->format ? 0 : -1;
}

static int refuse_stamp(const struct store *s, struct err *e)
{
	return err_hint(
		e,
		"use another one (--root DIR); to copy images, 'thimble --root %s save -o images.tar "
		"NAME...' as it was made for, then 'thimble load -i images.tar' here",
		s->path);
}

int stamp_check(struct store *s, struct slice text, struct owner *who, struct err *e)
{
	struct stamp st = { 0 };
	if (parse_stamp(text, &st) < 0) {
		err_set(e, ERR_DATA, "the stamp of the store '%s' is damaged", s->path);
		return err_hint(e, "move '%s' away, or use another store with --root DIR", s->path);
	}
	if (st.format != STORE_FORMAT) {
		err_set(e, ERR_USER, "the store '%s' has format %llu, this thimble knows %d",
			s->path, (unsigned long long)st.format, STORE_FORMAT);
		return err_hint(e,
				"use the thimble that made it, or another store with --root DIR");
	}
	if (st.user != who->user) {
		err_set(e, ERR_DENIED, "the store '%s' was made %s, this is %s", s->path,
			st.user ? "in a user namespace" : "by the machine's root",
			who->user ? "a user namespace" : "the machine's root");
		return refuse_stamp(s, e);
	}
	if (st.user && st.ids.uid != who->ids.uid) {
		err_set(e, ERR_DENIED, "the store '%s' was made by uid %u, this is uid %u", s->path,
			st.ids.uid, who->ids.uid);
		return refuse_stamp(s, e);
	}
	if (!st.user || !st.has_ids)
		return st.user && who->ids_known ? 0 : 1;
	if (who->ids_known &&
	    (st.ids.sub_uid != who->ids.sub_uid || st.ids.sub_uid_n != who->ids.sub_uid_n ||
	     st.ids.sub_gid != who->ids.sub_gid || st.ids.sub_gid_n != who->ids.sub_gid_n)) {
		err_set(e, ERR_DENIED,
			"the store '%s' was made with subordinate ids %u+%u (groups %u+%u), yours are now "
			"%u+%u (groups %u+%u)",
			s->path, st.ids.sub_uid, st.ids.sub_uid_n, st.ids.sub_gid, st.ids.sub_gid_n,
			who->ids.sub_uid, who->ids.sub_uid_n, who->ids.sub_gid, who->ids.sub_gid_n);
		return refuse_stamp(s, e);
	}
	if (!who->ids_known) {
		who->ids.sub_uid = st.ids.sub_uid;
		who->ids.sub_uid_n = st.ids.sub_uid_n;
		who->ids.sub_gid = st.ids.sub_gid;
		who->ids.sub_gid_n = st.ids.sub_gid_n;
		who->ids_known = true;
	}
	return 1;
}
