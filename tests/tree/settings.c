/* SPDX-License-Identifier: MIT */
/*
 * Prints the table of settings for t-env.sh, which compares it with the manual: variable, key, type
 * and default, with tabs between.
 */
#include <stdio.h>

#include "sva/info.h"

int main(void)
{
	const struct sva_setting *s;

	for (unsigned int i = 0; (s = sva_setting_describe(i)); i++)
		printf("%s\t%s\t%s\t%s\n", s->env, s->key, s->type, s->initial);
	return 0;
}
