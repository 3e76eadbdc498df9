/* SPDX-License-Identifier: MIT */
/*
 * icount: runs the child one instruction at a time, emulates the accelerator, and counts.
 *
 * The emulation completes a descriptor at once and moves no data: its record reports success before
 * the next instruction. So what is counted is the library's own work, without a single iteration of
 * a waiting loop.
 */
#include "icount.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sva/desc.h"

#define REFUSED 125 /* the child's exit status when it may not be traced */
#define FLAGS_OF_ENQCMD 0x8d5u /* CF PF AF ZF SF OF: all 0 if the queue took the descriptor */

struct run {
	struct stepper *stepper;
	pid_t pid;
	struct region *region; /* what is counted now, or NULL */
};

static int child_read(const struct run *run, uint64_t addr, void *to, size_t len)
{
	struct iovec local = { to, len }, remote = { (void *)(uintptr_t)addr, len };
	ssize_t n = process_vm_readv(run->pid, &local, 1, &remote, 1, 0);

	return n == (ssize_t)len ? 0 : -EFAULT;
}

static int child_write(const struct run *run, uint64_t addr, const void *from, size_t len)
{
	struct iovec local = {(void *)(uintptr_t)from, len},
		     remote = {(void *)(uintptr_t)addr, len};
	ssize_t n = process_vm_writev(run->pid, &local, 1, &remote, 1, 0);

	return n == (ssize_t)len ? 0 : -EFAULT;
}

/* An instruction may be at the end of a mapping: what follows it reads as 0. */
static int child_code(const struct run *run, uint64_t rip, uint8_t bytes[INSN_MAX])
{
	size_t first = 4096 - rip % 4096;

	memset(bytes, 0, INSN_MAX);
	if (first >= INSN_MAX)
		return child_read(run, rip, bytes, INSN_MAX);
	if (child_read(run, rip, bytes, first))
		return -EFAULT;
	child_read(run, rip + first, bytes + first, INSN_MAX - first);
	return 0;
}

/* ------------------------------------------------------------------ emulating the device */

static int complete_desc(struct run *run, const struct sva_desc *desc)
{
	struct sva_comp comp;

	if (run->region)
		run->region->descriptors++;
	memset(&comp, 0, sizeof(comp));
	comp.status = SVA_STATUS_SUCCESS;
	if (!(desc->flags_opcode & SVA_DESC_CRAV))
		return 0;
	return child_write(run, desc->completion_addr, &comp, sizeof(comp));
}

static int execute_desc(struct run *run, uint64_t addr)
{
	struct sva_desc desc, entry;
	int rc = child_read(run, addr, &desc, sizeof(desc));

	if (rc)
		return rc;
	if (sva_desc_opcode(&desc) == SVA_OPCODE_BATCH) {
		for (uint32_t i = 0; i < desc.size && !rc; i++) {
			rc = child_read(run, desc.src + i * sizeof(entry), &entry, sizeof(entry));
			if (!rc)
				rc = complete_desc(run, &entry);
		}
		/* The batch descriptor itself carries no data. */
		if (run->region)
			run->region->descriptors--;
	}
	return rc ? rc : complete_desc(run, &desc);
}

static void count_submission(struct run *run)
{
	if (!run->region)
		return;
	if (!run->region->submissions++)
		run->region->before = run->region->total;
	run->region->after = run->region->total; /* pass_marker() makes it the difference */
}

static bool is_node(const struct run *run, int fd)
{
	char link[64], name[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)run->pid, fd);
	n = readlink(link, name, sizeof(name) - 1);
	if (n < 0)
		return false;
	name[n] = '\0';
	return !strcmp(name, run->stepper->node);
}

/* ------------------------------------------------------------------ one instruction */

static int step(struct run *run, int *status)
{
	if (ptrace(PTRACE_SINGLESTEP, run->pid, NULL, NULL) || waitpid(run->pid, status, 0) < 0)
		return -errno;
	return 0;
}

/*
 * The files that are opened instead of two of /proc, in which the CPU has the instructions that are
 * emulated, and the kernel the driver. NULL: open the file itself.
 */
static const char *replacement_of(const struct run *run, const char *name)
{
	if (!strcmp(name, "/proc/cpuinfo"))
		return run->stepper->cpuinfo;
	return strcmp(name, "/proc/devices") ? NULL : run->stepper->devices;
}

static int step_open(struct run *run, struct user_regs_struct *regs, int *status)
{
	unsigned long long *arg = regs->rax == SYS_openat ? &regs->rsi : &regs->rdi, before = *arg;
	char name[sizeof("/proc/cpuinfo")] = "";
	const char *instead;
	uint64_t scratch = (regs->rsp - 128 - PATH_MAX) & ~15ull;
	int rc;

	instead =
		child_read(run, *arg, name, sizeof(name)) || memchr(name, 0, sizeof(name)) == NULL ?
			NULL :
			replacement_of(run, name);
	if (!instead)
		return step(run, status);
	rc = child_write(run, scratch, instead, strlen(instead) + 1);
	if (rc)
		return rc;
	*arg = scratch;
	ptrace(PTRACE_SETREGS, run->pid, NULL, regs);
	rc = step(run, status);
	if (rc == 0 && WIFSTOPPED(*status) && ptrace(PTRACE_GETREGS, run->pid, NULL, regs) == 0) {
		arg = regs->orig_rax == SYS_openat ? &regs->rsi : &regs->rdi;
		*arg = before;
		ptrace(PTRACE_SETREGS, run->pid, NULL, regs);
	}
	return rc;
}

/* Shows the child the file that is the device node as a character device of the driver. */
static int step_stat(struct run *run, const struct user_regs_struct *regs, int *status)
{
	uint64_t at = regs->rax == SYS_newfstatat ? regs->rdx : regs->rsi;
	struct stat node, st;
	int rc = step(run, status);

	if (rc || !WIFSTOPPED(*status) || stat(run->stepper->node, &node) ||
	    child_read(run, at, &st, sizeof(st)) || st.st_dev != node.st_dev ||
	    st.st_ino != node.st_ino)
		return rc;
	st.st_mode = (st.st_mode & ~(mode_t)S_IFMT) | S_IFCHR;
	st.st_rdev = makedev(ICOUNT_MAJOR, 0);
	return child_write(run, at, &st, sizeof(st));
}

static int step_syscall(struct run *run, const struct insn *insn, struct user_regs_struct *regs,
			int *status)
{
	if (run->region)
		run->region->syscalls++;
	if (regs->rax == SYS_open || regs->rax == SYS_openat)
		return step_open(run, regs, status);
	if (regs->rax == SYS_stat || regs->rax == SYS_fstat || regs->rax == SYS_newfstatat)
		return step_stat(run, regs, status);
	if (regs->rax == SYS_write && regs->rdx && regs->rdx % sizeof(struct sva_desc) == 0 &&
	    is_node(run, (int)regs->rdi)) {
		for (uint64_t done = 0; done < regs->rdx; done += sizeof(struct sva_desc)) {
			int rc = execute_desc(run, regs->rsi + done);

			if (rc)
				return rc;
		}
		count_submission(run);
		regs->rax = regs->rdx;
		regs->rip += insn->len;
		return ptrace(PTRACE_SETREGS, run->pid, NULL, regs) ? -errno : 0;
	}
	return step(run, status);
}

static int emulate_portal(struct run *run, const struct insn *insn, struct user_regs_struct *regs)
{
	int rc = execute_desc(run, insn->source);

	if (rc)
		return rc;
	count_submission(run);
	if (insn->kind == INSN_ENQCMD)
		regs->eflags &= ~(unsigned long long)FLAGS_OF_ENQCMD;
	regs->rip += insn->len;
	return ptrace(PTRACE_SETREGS, run->pid, NULL, regs) ? -errno : 0;
}

/* Empties the file at the begin of each sample, so that it has the last one in the end. */
static void begin_trace(const struct run *run)
{
	FILE *trace = run->stepper->trace, *maps;
	char name[64], line[PATH_MAX + 128];

	if (!trace)
		return;
	rewind(trace);
	if (ftruncate(fileno(trace), 0))
		return;
	snprintf(name, sizeof(name), "/proc/%d/maps", (int)run->pid);
	maps = fopen(name, "re");
	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, " r-xp "))
			fprintf(trace, "map %s", line);
	if (maps)
		fclose(maps);
}

static int pass_marker(struct run *run, const struct insn *insn, struct user_regs_struct *regs)
{
	struct stepper *s = run->stepper;

	if (run->region && run->region->submissions)
		run->region->after = run->region->total - run->region->after;
	if (insn->mark == ICOUNT_BASE && s->base_count < ICOUNT_SAMPLES)
		run->region = &s->base[s->base_count++];
	else if (insn->mark == ICOUNT_BEGIN && s->sample_count < ICOUNT_SAMPLES)
		run->region = &s->samples[s->sample_count++];
	else
		run->region = NULL;
	if (run->region) {
		memset(run->region, 0, sizeof(*run->region));
		begin_trace(run);
	}
	regs->rip += insn->len;
	return ptrace(PTRACE_SETREGS, run->pid, NULL, regs) ? -errno : 0;
}

/*
 * Runs a whole REP MOVS to a breakpoint behind it, instead of one step for each byte. If anything
 * else stopped the child there, such as a signal, the instruction would be counted once more when
 * it continues; nothing sends signals.
 */
static int step_repeated(struct run *run, const struct insn *insn,
			 const struct user_regs_struct *regs, int *status)
{
	struct user_regs_struct after;
	void *behind = (void *)(uintptr_t)(regs->rip + insn->len);
	long word;

	errno = 0;
	word = ptrace(PTRACE_PEEKTEXT, run->pid, behind, NULL);
	if (errno || ptrace(PTRACE_POKETEXT, run->pid, behind, (void *)((word & ~0xffl) | 0xcc)) ||
	    ptrace(PTRACE_CONT, run->pid, NULL, NULL) || waitpid(run->pid, status, 0) < 0)
		return -errno;
	if (!WIFSTOPPED(*status))
		return 0;
	if (ptrace(PTRACE_POKETEXT, run->pid, behind, (void *)word) ||
	    ptrace(PTRACE_GETREGS, run->pid, NULL, &after))
		return -errno;
	if (WSTOPSIG(*status) != SIGTRAP || after.rip != (uintptr_t)behind + 1)
		return 0;
	after.rip--;
	return ptrace(PTRACE_SETREGS, run->pid, NULL, &after) ? -errno : 0;
}

/* Runs or emulates the next instruction. Stores a status only if the child ran. */
static int advance_child(struct run *run, int *status)
{
	struct user_regs_struct regs;
	uint8_t bytes[INSN_MAX];
	struct insn insn;

	if (ptrace(PTRACE_GETREGS, run->pid, NULL, &regs))
		return -errno;
	if (child_code(run, regs.rip, bytes))
		return step(run, status);
	insn_decode(bytes, &regs, &insn);
	if (insn.kind == INSN_MARK)
		return pass_marker(run, &insn, &regs);
	if (run->region) {
		run->region->total++;
		run->region->locked += insn.locked;
		if (run->stepper->trace)
			fprintf(run->stepper->trace, "%llx\n", regs.rip);
	}
	if (insn.kind == INSN_ENQCMD || insn.kind == INSN_MOVDIR64B)
		return emulate_portal(run, &insn, &regs);
	if (insn.kind == INSN_SYSCALL)
		return step_syscall(run, &insn, &regs, status);
	return insn.repeated ? step_repeated(run, &insn, &regs, status) : step(run, status);
}

/* ------------------------------------------------------------------ the child */

static void child_main(char *const argv[])
{
	/* The same addresses in every run, so that the same instructions are executed. */
	personality(ADDR_NO_RANDOMIZE);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(REFUSED);
	execv(argv[0], argv);
	fprintf(stderr, "icount: cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* Runs at full speed to the first marker, and sets the instruction pointer back to its int3. */
static int run_to_start(struct run *run, int *status)
{
	struct user_regs_struct regs;
	int signal = 0;

	for (;;) {
		if (ptrace(PTRACE_CONT, run->pid, NULL, (void *)(intptr_t)signal) ||
		    waitpid(run->pid, status, 0) < 0)
			return -errno;
		if (!WIFSTOPPED(*status))
			return 0;
		signal = WSTOPSIG(*status);
		if (signal == SIGTRAP)
			break;
	}
	if (ptrace(PTRACE_GETREGS, run->pid, NULL, &regs))
		return -errno;
	regs.rip--;
	return ptrace(PTRACE_SETREGS, run->pid, NULL, &regs) ? -errno : 0;
}

static int trace_child(struct run *run)
{
	int status, rc;

	if (waitpid(run->pid, &status, 0) < 0)
		return -errno;
	if (WIFSTOPPED(status)) {
		ptrace(PTRACE_SETOPTIONS, run->pid, NULL, (void *)PTRACE_O_EXITKILL);
		rc = run_to_start(run, &status);
		while (!rc && WIFSTOPPED(status)) {
			int signal = WSTOPSIG(status);

			if (signal != SIGTRAP && ptrace(PTRACE_SINGLESTEP, run->pid, NULL,
							(void *)(intptr_t)signal) == 0) {
				if (waitpid(run->pid, &status, 0) < 0)
					return -errno;
				continue;
			}
			rc = advance_child(run, &status);
		}
		if (rc) {
			kill(run->pid, SIGKILL);
			waitpid(run->pid, &status, 0);
			return rc;
		}
	}
	if (WIFSIGNALED(status)) {
		fprintf(stderr, "icount: the child ended by signal %d (%s)\n", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
		return -EIO;
	}
	return WEXITSTATUS(status) == REFUSED ? -EPERM : WEXITSTATUS(status);
}

int stepper_run(struct stepper *stepper, char *const argv[])
{
	struct run run = { .stepper = stepper };
	cpu_set_t cpus;
	int cpu;

	stepper->base_count = stepper->sample_count = 0;
	/*
	 * Both on one processor: they run in turn, and waking another one takes longer than a step.
	 */
	cpu = sched_getcpu();
	CPU_ZERO(&cpus);
	CPU_SET(cpu < 0 ? 0 : cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	fflush(NULL);
	run.pid = fork();
	if (run.pid < 0)
		return -errno;
	if (run.pid == 0)
		child_main(argv);
	return trace_child(&run);
}
