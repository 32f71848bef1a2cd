/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/digest.h"

#include "base/buf.h"
#include "base/err.h"

int digest_parse(struct slice s, struct digest *out, struct err *e)
{
	enum { SHOWN = 100 };
	const struct slice prefix = SL("sha256:");
	struct slice shown = slice_head(s, s.n < SHOWN ? s.n : SHOWN);
	size_t colon = slice_find(s, ':');
	if (colon == s.n || colon == 0)
		return err_set(e, ERR_DATA, "'%.*s' is not a digest (sha256: and 64 hex digits)",
			       SLF(shown));
	if (!slice_starts(s, prefix))
		return err_set(e, ERR_DATA,
			       "the digest '%.*s' is not of sha256, the only kind known",
			       SLF(shown));
	struct slice hex = slice_from(s, prefix.n);
	if (sha256_unhex(hex.p, hex.n, out->b) < 0)
		return err_set(e, ERR_DATA, "'%.*s' is not sha256: and 64 lower-case hex digits",
			       SLF(shown));
	return 0;
}

const char *digest_text(const struct digest *d, char out[static DIGEST_LEN])
{
	static const char prefix[] = "sha256:";
	memcpy(out, prefix, sizeof prefix);
	sha256_hex(d->b, out + sizeof prefix - 1);
	return out;
}

const char *digest_hex(const struct digest *d, char out[static SHA256_HEX])
{
	sha256_hex(d->b, out);
	return out;
}

void digest_of(struct slice bytes, struct digest *out)
{
	sha256_of(bytes.p, bytes.n, out->b);
}

bool digest_is_zero(const struct digest *d)
{
	for (size_t i = 0; i < sizeof d->b; i++)
		if (d->b[i])
			return false;
	return true;
}
