/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"

#include <stdio.h>

static int parse(struct slice s, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	for (size_t i = 0; i < s.n; i++) {
		int digit = s.p[i] - '0';
		if (digit < 0 || digit >= (int)base || ckd_mul(&v, v, base) ||
		    ckd_add(&v, v, (unsigned)digit) || v > max)
			return -1;
	}
	if (s.n == 0)
		return -1;
	*out = v;
	return 0;
}

int num_parse(struct slice s, uint64_t max, uint64_t *out)
{
	return parse(s, 10, max, out);
}

int num_parse_octal(struct slice s, uint64_t max, uint64_t *out)
{
	return parse(s, 8, max, out);
}

int num_parse_size(struct slice s, uint64_t *out)
{
	static const char units[] = "kmgtp";
	size_t digits = 0;
	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	uint64_t v;
	if (num_parse(slice_head(s, digits), UINT64_MAX, &v) < 0)
		return -1;

	/* then [kmgtp][i]b, each part optional, as docker/go-units RAMInBytes has it */
	struct slice suffix = slice_from(s, digits);
	unsigned power = 0;
	if (suffix.n) {
		const char *at = strchr(units, suffix.p[0] | 0x20);
		if (at && suffix.p[0]) {
			power = (unsigned)(at - units) + 1;
			suffix = slice_from(suffix, 1);
			if (suffix.n == 2 && (suffix.p[0] | 0x20) == 'i')
				suffix = slice_from(suffix, 1);
		}
	}
	if (suffix.n && !slice_eq_nocase(suffix, SL("b")))
		return -1;
	if (ckd_mul(&v, v, UINT64_C(1) << (10 * power)))
		return -1;
	*out = v;
	return 0;
}

const char *num_size(uint64_t bytes, char out[static NUM_SIZE_LEN])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double v = (double)bytes;
	size_t unit = 0;
	/* from 999.5 on three digits would be "1e+03": the next unit says it better than Docker does */
	while (v >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
		v /= 1000;
		unit++;
	}
	(void)snprintf(out, NUM_SIZE_LEN, "%.3g%s", v, units[unit]);
	return out;
}
