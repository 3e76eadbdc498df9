/* SPDX-License-Identifier: MIT */
/* sva-emu doctor: prints what the CPU, the kernel and the privileges of the user allow. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emu/run/doctor.h"
#include "emu/run/launch.h"
#include "emu/run/machine.h"
#include "emu/run/run.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_OFF 0
#endif

static void print_line(const char *what, bool good, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void print_line(const char *what, bool good, const char *fmt, ...)
{
	va_list ap;

	printf("  %-36s %-4s ", what, good ? "yes" : "no");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* Print which of the instructions this CPU has, as this decides which signal they raise. */
static void print_cpu(void)
{
	static const struct {
		const char *flag, *insn, *with, *without;
	} insns[] = {
		{"enqcmd", "ENQCMD", "raises SIGSEGV without a PASID, is decoded",
		 "raises SIGILL, is decoded"},
		{"movdir64b", "MOVDIR64B", "raises SIGBUS at a portal, is decoded",
		 "raises SIGILL, is decoded"},
		{"waitpkg", "UMONITOR, UMWAIT, TPAUSE", "runs natively",
		 "raises SIGILL, is decoded"},
	};
	unsigned int i;

	puts("instructions of this CPU:");
	for (i = 0; i < sizeof(insns) / sizeof(insns[0]); i++) {
		bool has = emu_machine_has_flag(insns[i].flag);

		print_line(insns[i].insn, has, "%s", has ? insns[i].with : insns[i].without);
	}
}

static void print_machine(void)
{
	struct stat st;
	bool real = stat("/sys/bus/dsa", &st) == 0, seen;

	puts("this machine:");
	print_line("a real idxd driver", real, "%s", real ? "is hidden from the program" : "");
	seen = prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0) == 0;
	print_line("system calls by bare instructions", seen, "%s",
		   seen ? "are seen" :
			  "are not seen on Linux before 5.11; sva-emu run --ptrace sees them");
}

/* Try a presentation in a process of its own. */
static bool try_presentation(struct emu_state *state, enum emu_present present)
{
	const char *attrs = "as plain files, rules in the preload library";
	struct emu_child child;
	int ret = emu_launch(state, present, NULL, &child);

	if (ret) {
		print_line(emu_present_name(present), false, "%s", child.why.text);
		return false;
	}
	waitpid(child.pid, NULL, 0);
	emu_launch_finish(&child);
	if (child.fuse)
		print_line(emu_present_name(present), true, "attributes by FUSE");
	else
		print_line(emu_present_name(present), true, "attributes %s%s%s", attrs,
			   child.why.text[0] ? "; no FUSE: " : "", child.why.text);
	return true;
}

int emu_doctor(void)
{
	struct emu_launch launch = {.state = calloc(1, sizeof(struct emu_state)),
				    .profile = "dsa1"};
	const char *use = NULL;
	char library[4096];
	unsigned int i;
	int ret;

	if (!launch.state || emu_options_devices(&launch))
		return 1;
	print_cpu();
	print_machine();
	ret = emu_run_library(library, sizeof(library));
	print_line("the preload library", ret == 0, "%s%s%s", library, ret ? ": " : "",
		   ret ? strerror(-ret) : "");
	if (ret)
		return 1;
	ret = emu_run_prepare(&launch);
	print_line("a directory for the run", ret == 0, "%s%s%s", launch.state->opt.dir,
		   ret ? ": " : "", ret ? strerror(-ret) : "");
	if (ret)
		return 1;
	puts("presentation of the device:");
	for (i = 0; i < 3; i++) {
		if (emu_launch_order[i] == EMU_PRESENT_NAMESPACE && geteuid() != 0) {
			print_line(emu_present_name(EMU_PRESENT_NAMESPACE), false, "needs root");
			continue;
		}
		if (try_presentation(launch.state, emu_launch_order[i]) && !use)
			use = emu_present_name(emu_launch_order[i]);
	}
	printf("sva-emu run uses: %s\n", use ? use : "nothing; it cannot run here");
	emu_run_remove(launch.state);
	return use ? 0 : 1;
}
