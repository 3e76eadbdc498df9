/* SPDX-License-Identifier: MIT */
/* Prepares operations and shows the descriptors that come of it; nothing is submitted. */
#include <inttypes.h>
#include <stdio.h>
#include <sva/sva.h>

static void show(const char *name, const struct sva_op *op)
{
	printf("%-8s opcode=%02x flags=%06x size=%" PRIu32 " length=%" PRIu64 "\n", name,
	       sva_desc_opcode(&op->desc), (unsigned int)sva_desc_flags(&op->desc), op->desc.size,
	       op->length);
}

int main(void)
{
	static char a[4096], b[4096];
	struct sva_op op;

	sva_prep_memcpy(&op, a, b, sizeof(a));
	op.flags |= SVA_OP_NO_CACHE; /* the copy should not displace data in the caches */
	op.user_data = 42;
	show("memcpy", &op);

	/* An operation without a function of its own: 16 bytes of pattern, which a DSA 2 can do. */
	sva_prep(&op, SVA_OPCODE_FILL, 0x1111111111111111, (uint64_t)(uintptr_t)a, sizeof(a));
	op.desc.flags_opcode |= SVA_DESC_FILL16;
	op.desc.op.fill.pattern_high = 0x2222222222222222;
	show("fill16", &op);

	sva_prep_drain(&op);
	show("drain", &op);
	return 0;
}
