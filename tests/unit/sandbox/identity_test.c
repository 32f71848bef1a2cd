/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "sandbox/identity.h"

#define PASSWD                                              \
	"root:x:0:0:root:/root:/bin/sh\n"                   \
	"daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n" \
	"\n"                                                \
	"broken line\n"                                     \
	"noid:x::5::/nowhere:\n"                            \
	"nohome:x:77:78\n"                                  \
	"app:x:1000:1001:App,,,:/home/app:/bin/sh\n"        \
	"1234:x:42:43::/home/number:\n"                     \
	"big:x:4294967295:0::/:\n"                          \
	"last:x:2147483647:5::/last:"
#define GROUP                     \
	"root:x:0:\n"             \
	"wheel:x:10:root,app\n"   \
	"app:x:1001:\n"           \
	"audio:x:29:other,app,\n" \
	"nogid:x::app\n"          \
	"staff:x:50:appendix"

static const struct {
	const char *spec;
	uint32_t uid, gid;
	const char *groups; /* joined by blanks */
	const char *home;
} good[] = {
	{ "", 0, 0, "0 10", "/root" },
	{ "root", 0, 0, "0 10", "/root" },
	{ "0", 0, 0, "0 10", "/root" },
	{ "app", 1000, 1001, "1001 10 29", "/home/app" },
	{ "1000", 1000, 1001, "1001 10 29", "/home/app" },
	{ "app:", 1000, 1001, "1001 10 29", "/home/app" },
	{ "app:wheel", 1000, 10, "10", "/home/app" },
	{ "app:10", 1000, 10, "10", "/home/app" },
	{ "app:31337", 1000, 31337, "31337", "/home/app" },
	{ "4242", 4242, 0, "0", NULL },
	{ "4242:audio", 4242, 29, "29", NULL },
	{ ":audio", 0, 29, "29", "/root" },
	{ "1234", 1234, 0, "0", NULL }, /* a number is never a name */
	{ "nohome", 77, 78, "78", NULL },
	{ "last", 2147483647, 5, "5", "/last" },
	{ "2147483647", 2147483647, 5, "5", "/last" },
};

static void identity_find__follows_docker(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct err e = { 0 };
		struct identity id = { 0 };
		struct strs groups = { 0 };
		if (identity_find(slice_of(good[i].spec), SL(PASSWD), SL(GROUP), &id, &e) < 0)
			fail_msg("'%s': %s", good[i].spec, e.chain[0]);
		assert_int_equal(id.uid, good[i].uid);
		assert_int_equal(id.gid, good[i].gid);
		arr_each(g, &id.groups)
			strs_addf(&groups, "%u", *g);
		_free_ char *joined = strs_join(&groups, " ");
		assert_string_equal(joined, good[i].groups);
		if (good[i].home)
			assert_string_equal(id.home, good[i].home);
		else
			assert_null(id.home);
		strs_done(&groups);
		identity_done(&id);
	}
}

static void identity_find__refuses_unknown_names(void **state)
{
	(void)state;
	static const struct {
		const char *spec, *words;
	} bad[] = {
		{ "nosuch", "unable to find user nosuch: no matching entries in passwd file" },
		{ "app:nosuch", "unable to find group nosuch: no matching entries in group file" },
		{ "4294967295", "user id 4294967295 is not in the range 0 to 2147483647" },
		{ "0:2147483648", "group id 2147483648 is not in the range 0 to 2147483647" },
		{ "-1", "unable to find user -1: no matching entries in passwd file" },
		{ "noid", "unable to find user noid: no matching entries in passwd file" },
		{ "big", "unable to find user big: no matching entries in passwd file" },
		{ "app:10:5", "unable to find group 10:5: no matching entries in group file" },
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct err e = { 0 };
		struct identity id = { .uid = 7 };
		assert_int_equal(
			identity_find(slice_of(bad[i].spec), SL(PASSWD), SL(GROUP), &id, &e), -1);
		assert_int_equal(e.kind, ERR_USER);
		assert_string_equal(e.chain[0], bad[i].words);
		assert_int_equal(id.uid, 7);
		err_done(&e);
	}
}

static void identity_find__needs_no_files(void **state)
{
	(void)state;
	struct identity id = { 0 };
	struct slice none = { NULL, 0 };
	assert_int_equal(identity_find(SL("12:34"), none, none, &id, NULL), 0);
	assert_int_equal(id.uid, 12);
	assert_int_equal(id.gid, 34);
	identity_done(&id);
	assert_int_equal(identity_find(SL(""), none, none, &id, NULL), 0);
	assert_int_equal(id.uid, 0);
	identity_done(&id);
}

static void identity_uid__tells_names_and_numbers(void **state)
{
	(void)state;
	uint32_t uid = 9, gid = 9;
	assert_int_equal(identity_uid(SL("app"), SL(PASSWD), &uid, &gid), 1);
	assert_int_equal(uid, 1000);
	assert_int_equal(gid, 1001);
	assert_int_equal(identity_uid(SL("55"), SL(PASSWD), &uid, &gid), 1);
	assert_int_equal(uid, 55);
	assert_int_equal(gid, 0);
	assert_int_equal(identity_uid(SL("nosuch"), SL(PASSWD), &uid, &gid), 0);
	assert_int_equal(identity_uid(SL(""), SL(PASSWD), &uid, &gid), 0);
	assert_int_equal(identity_gid(SL("audio"), SL(GROUP), &gid), 1);
	assert_int_equal(gid, 29);
	assert_int_equal(identity_gid(SL("77"), SL(GROUP), &gid), 1);
	assert_int_equal(gid, 77);
	assert_int_equal(identity_gid(SL("nogid"), SL(GROUP), &gid), 0);
}

/* One group more than setgroups(2) takes; and found without comparing each with all the others of a
 * file as large as may be. */
static void identity_find__has_a_limit_of_groups(void **state)
{
	(void)state;
	_cleanup_(buf_done) struct buf group = { 0 };
	struct identity id = { 0 };
	struct err e = { 0 };
	for (int i = 1; i <= 250000; i++)
		buf_printf(&group, "g%d:x:%d:root\n", i, i);
	assert_int_equal(
		identity_find(SL("root"), SL("root:x:0:0::/:\n"), buf_view(&group), &id, &e), -1);
	assert_int_equal(e.kind, ERR_USER);
	err_done(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity_find__follows_docker),
		cmocka_unit_test(identity_find__refuses_unknown_names),
		cmocka_unit_test(identity_find__needs_no_files),
		cmocka_unit_test(identity_uid__tells_names_and_numbers),
		cmocka_unit_test(identity_find__has_a_limit_of_groups),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
