/* SPDX-License-Identifier: MIT */
/* The program sva-emu: chooses the command. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "emu/run/doctor.h"
#include "emu/run/modules.h"
#include "emu/run/preset.h"
#include "emu/run/run.h"
#include "lib/base/low.h"

static int usage(FILE *out, int status)
{
	fputs("usage: sva-emu run [options] [--] PROGRAM [ARGUMENT …]\n"
	      "       sva-emu machines\n"
	      "       sva-emu doctor\n"
	      "       sva-emu --help | --version\n"
	      "Shows an emulated Intel DSA to an unmodified program.\n"
	      "See sva-emu run --help, and sva-emu(1).\n",
	      out);
	return status;
}

int main(int argc, char **argv)
{
	sva_occupy_low();
	int status;

	if (emu_modules_main(argc, argv, &status))
		return status;
	if (argc < 2)
		return usage(stderr, 2);
	if (!strcmp(argv[1], "run"))
		return emu_run(argc - 1, argv + 1);
	if (!strcmp(argv[1], "machines"))
		return argc == 2 ? emu_preset_list() : usage(stderr, 2);
	if (!strcmp(argv[1], "doctor"))
		return argc == 2 ? emu_doctor() : usage(stderr, 2);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return usage(stdout, 0);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("sva-emu " PACKAGE_VERSION);
		return 0;
	}
	fprintf(stderr, "sva-emu: unknown command '%s'\n", argv[1]);
	return usage(stderr, 2);
}
