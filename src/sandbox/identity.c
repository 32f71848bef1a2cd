/* SPDX-License-Identifier: Apache-2.0 */
/* Follows github.com/moby/sys/user, which docker, BuildKit and runc share, with one difference:
 * a row whose numbers do not parse is skipped, where it reads them as 0, which would be root. */
#include "sandbox/identity.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/map.h"
#include "base/num.h"

enum { GROUPS_MAX = 65536 }; /* NGROUPS_MAX, setgroups(2) */
#define ID_MAX 0x7fffffffu /* moby/sys/user: 0 to 2^31 - 1 */

struct row {
	struct slice name, home, members;
	uint32_t uid, gid;
};

static bool parse_id(struct slice s, uint32_t *out)
{
	uint64_t v;
	if (num_parse(s, ID_MAX, &v) < 0)
		return false;
	*out = (uint32_t)v;
	return true;
}

/* passwd(5): name:password:uid:gid:comment:home:shell. False at the end of the text. */
static bool next_user(struct slice *text, struct row *out)
{
	struct slice line, field[6];
	while (slice_split(text, '\n', &line)) {
		line = slice_trim(line);
		size_t n = 0;
		while (n < COUNT_OF(field) && slice_split(&line, ':', &field[n]))
			n++;
		if (n < 4 || field[0].n == 0 || !parse_id(field[2], &out->uid) ||
		    !parse_id(field[3], &out->gid))
			continue;
		out->name = field[0];
		out->home = n > 5 ? field[5] : SL("");
		return true;
	}
	return false;
}

/* group(5): name:password:gid:member,member */
static bool next_group(struct slice *text, struct row *out)
{
	struct slice line, field[4];
	while (slice_split(text, '\n', &line)) {
		line = slice_trim(line);
		size_t n = 0;
		while (n < COUNT_OF(field) && slice_split(&line, ':', &field[n]))
			n++;
		if (n < 3 || field[0].n == 0 || !parse_id(field[2], &out->gid))
			continue;
		out->name = field[0];
		out->members = n > 3 ? field[3] : SL("");
		return true;
	}
	return false;
}

static bool has_member(struct slice members, struct slice user)
{
	struct slice m;
	while (slice_split(&members, ',', &m))
		if (m.n > 0 && slice_eq(m, user))
			return true;
	return false;
}

void identity_done(struct identity *id)
{
	if (!id)
		return;
	arr_done(&id->groups);
	free(id->home);
	free(id->name);
	*id = (struct identity){ 0 };
}

/* `seen` has the groups that are in already: a group file may name one user 200 000 times. */
static int add_group(struct identity *id, struct map *seen, uint32_t gid, struct err *e)
{
	struct slice key = { (const char *)&gid, sizeof gid };
	if (map_has(seen, key))
		return 0;
	(void)map_put(seen, key, id);
	if (id->groups.n >= GROUPS_MAX)
		return err_set(e, ERR_USER,
			       "the user is in more than %d groups, which is all that "
			       "a process can have",
			       GROUPS_MAX);
	arr_push(&id->groups, gid);
	return 0;
}

/* A number matches the uid column only, also where somebody's name is that number. */
static bool find_user(struct slice want, struct slice passwd, struct row *out)
{
	uint32_t uid = 0;
	bool by_id = want.n == 0 || parse_id(want, &uid);
	while (next_user(&passwd, out))
		if (by_id ? out->uid == uid : slice_eq(out->name, want))
			return true;
	return false;
}

static bool find_group(struct slice want, struct slice group, struct row *out)
{
	uint32_t gid = 0;
	bool by_id = parse_id(want, &gid);
	while (next_group(&group, out))
		if (by_id ? out->gid == gid : slice_eq(out->name, want))
			return true;
	return false;
}

static int not_found(const char *what, struct slice name, const char *file, struct err *e)
{
	uint64_t v;
	if (num_parse(name, UINT64_MAX, &v) == 0)
		return err_set(e, ERR_USER, "%s id %.*s is not in the range 0 to %u", what,
			       SLF(name), ID_MAX);
	err_set(e, ERR_USER, "unable to find %s %.*s: no matching entries in %s file", what,
		SLF(name), file);
	return err_hint(e, "add it with a RUN step (useradd, adduser), or give the number");
}

int identity_find(struct slice spec, struct slice passwd, struct slice group, struct identity *out,
		  struct err *e)
{
	size_t colon = slice_find(spec, ':');
	struct slice user = slice_head(spec, colon);
	struct slice grp = colon < spec.n ? slice_from(spec, colon + 1) : SL("");
	struct row row = { 0 };
	_cleanup_(identity_done) struct identity id = { 0 };
	_cleanup_(map_done) struct map seen = { 0 };

	bool known = find_user(user, passwd, &row);
	if (known) {
		id.uid = row.uid;
		id.gid = row.gid;
		id.name = slice_dup(row.name);
		id.home = row.home.n ? slice_dup(row.home) : NULL;
	} else if (user.n > 0 && !parse_id(user, &id.uid)) {
		return not_found("user", user, "passwd", e);
	}
	struct row g = { 0 };
	if (grp.n > 0) {
		if (find_group(grp, group, &g))
			id.gid = g.gid;
		else if (!parse_id(grp, &id.gid))
			return not_found("group", grp, "group", e);
	}
	if (add_group(&id, &seen, id.gid, e) < 0)
		return -1;
	while (grp.n == 0 && known && next_group(&group, &g))
		if (has_member(g.members, row.name) && add_group(&id, &seen, g.gid, e) < 0)
			return -1;
	*out = id;
	id = (struct identity){ 0 };
	return 0;
}

int identity_uid(struct slice name, struct slice passwd, uint32_t *uid, uint32_t *gid)
{
	struct row row = { 0 };
	if (name.n > 0 && find_user(name, passwd, &row)) {
		*uid = row.uid;
		*gid = row.gid;
		return 1;
	}
	uint32_t v;
	if (!parse_id(name, &v))
		return 0;
	*uid = v;
	*gid = 0;
	return 1;
}

int identity_gid(struct slice name, struct slice group, uint32_t *gid)
{
	struct row g = { 0 };
	if (name.n > 0 && find_group(name, group, &g)) {
		*gid = g.gid;
		return 1;
	}
	return parse_id(name, gid) ? 1 : 0;
}
