/* SPDX-License-Identifier: MIT */
/* Binds a queue by name and fills memory through it, and through no other: bind [QUEUE] */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sva/sva.h>

int main(int argc, char **argv)
{
	const char *queue = argc > 1 ? argv[1] : "soft";
	struct sva_bond *bond;
	static char memory[65536];
	struct sva_op op;
	uint32_t pasid;
	int err;

	err = sva_bind(NULL, queue, 0, &bond);
	if (err) {
		fprintf(stderr, "%s: %s\n", queue, strerror(-err));
		return EXIT_FAILURE;
	}
	printf("%s: path=%s", queue, sva_path_name(sva_bond_path(bond)));
	if (sva_bond_pasid(bond, &pasid) == 0)
		printf(" pasid=%" PRIu32 "\n", pasid);
	else
		printf(" pasid=undisclosed\n");

	sva_prep_memfill(&op, memory, 0x0807060504030201, sizeof(memory));
	do
		err = sva_bond_submit(bond, &op);
	while (err == -EAGAIN);
	if (!err)
		err = sva_wait(&op, -1);
	printf("%s, last byte %d\n", err ? strerror(-err) : "filled", memory[sizeof(memory) - 1]);

	sva_unbind(bond);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
