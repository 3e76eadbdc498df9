/* SPDX-License-Identifier: MIT */
/* The signals that belong to the emulator, and what the program believes of them. */
#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "emu/base/raw.h"
#include "emu/device/state.h"
#include "emu/host/memory.h"
#include "emu/host/process.h"
#include "emu/preload/interpose.h"
#include "emu/preload/signals.h"

/*
 * The structure of the kernel, and the code that a handler returns to. Unwinders and debuggers
 * recognise the frame by exactly these bytes.
 */
struct kernel_action {
	uintptr_t handler;
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

#define SA_RESTORER_BIT 0x04000000ul

void emu_restore(void);
__asm__(".text\n.hidden emu_restore\n.globl emu_restore\n.type emu_restore,@function\n"
	"	nop\n"
	"emu_restore:\n"
	"	mov $15,%rax\n"
	"	syscall\n"
	".size emu_restore,.-emu_restore\n.previous\n");

#define BIT(sig) (1ull << ((sig) - 1))
#define OURS     EMU_SIGNALS_OURS

/*
 * Our signals, in the order of the table of the actions that the program wants for them. SIGTRAP is
 * one of them with --fast only.
 */
static const int ours_all[] = { SIGILL, SIGSEGV, SIGBUS, SIGSYS, SIGTRAP };
#define PLACE_OF_SIGSYS 3
static unsigned int ours_count = 4;
static struct kernel_action wanted[5];
static uint32_t wanted_lock;
static emu_handler_fn *our_handler;
static void (*restorer)(void) = emu_restore;

/*
 * Which of our signals the program believes to have in its signal mask, and in the masks of its
 * handlers.
 */
static EMU_TLS uint64_t believed;
static uint64_t believed_mask[_NSIG + 1];

static bool sigsys_given; /* SIGSYS belongs to the program and not to the emulator any more */

static int find_place(int signo)
{
	unsigned int i;

	if (signo == SIGSYS && __atomic_load_n(&sigsys_given, __ATOMIC_RELAXED))
		return -1;
	for (i = 0; i < ours_count; i++)
		if (ours_all[i] == signo)
			return (int)i;
	return -1;
}

static uint64_t set_mask(int how, uint64_t set)
{
	uint64_t old = 0;

	raw_syscall4(SYS_rt_sigprocmask, how, &set, &old, sizeof(set));
	return old;
}

/* A handler may need the lock, so the thread that holds it blocks all signals but ours. */
static uint64_t lock_wanted(void)
{
	uint64_t old = set_mask(SIG_BLOCK, ~OURS);

	while (!emu_trylock(&wanted_lock))
		raw_pause();
	return old;
}

static void unlock_wanted(uint64_t old)
{
	emu_unlock(&wanted_lock);
	set_mask(SIG_SETMASK, old);
}

static int kernel_action(int signo, const struct kernel_action *act, struct kernel_action *old)
{
	return (int)raw_syscall4(SYS_rt_sigaction, signo, act, old, sizeof(uint64_t));
}

static struct kernel_action our_action(void)
{
	/*
	 * Other signals wait until the instruction was executed. Faults of the emulator's own
	 * accesses cannot wait.
	 */
	return (struct kernel_action){
		.handler = (uintptr_t)our_handler,
		.flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTORER_BIT,
		.restorer = restorer,
		.mask = ~(OURS | BIT(SIGFPE) | BIT(SIGABRT)),
	};
}

void emu_signals_install(emu_handler_fn *handler)
{
	struct kernel_action act;
	unsigned int i;

	our_handler = handler;
	ours_count = emu.state->opt.fast ? 5 : 4;
	act = our_action();
	for (i = 0; i < ours_count; i++)
		kernel_action(ours_all[i], &act, &wanted[i]);
	believed |= set_mask(SIG_UNBLOCK, OURS) & OURS;
}

/* A handler that returns by a system call in libc is not reported by the kernel, see arm.h. */
void emu_signals_restorer(uintptr_t address)
{
	struct kernel_action act;
	unsigned int i;

	if (address)
		restorer = (void (*)(void))address;
	act = our_action();
	for (i = 0; i < ours_count; i++)
		kernel_action(ours_all[i], &act, NULL);
}

uint64_t emu_signals_believed(void)
{
	return believed;
}

void emu_signals_give_sigsys(void)
{
	struct kernel_action act = wanted[PLACE_OF_SIGSYS];

	if (!(act.flags & SA_RESTORER_BIT)) {
		act.flags |= SA_RESTORER_BIT;
		act.restorer = restorer;
	}
	__atomic_store_n(&sigsys_given, true, __ATOMIC_RELAXED);
	kernel_action(SIGSYS, &act, NULL);
}

uint64_t emu_signals_believe(int how, uint64_t bits)
{
	uint64_t before = believed;

	bits &= OURS;
	believed = how == SIG_BLOCK ? before | bits : how == SIG_UNBLOCK ? before & ~bits : bits;
	return before;
}

void emu_signals_thread(uint64_t inherited)
{
	believed = inherited | (set_mask(SIG_UNBLOCK, OURS) & OURS);
}

void emu_signals_interrupted(ucontext_t *uc)
{
	uint64_t *mask = (uint64_t *)(void *)&uc->uc_sigmask, hidden = *mask & OURS;

	if (EMU_LIKELY(!hidden))
		return;
	*mask &= ~OURS;
	believed |= hidden;
	set_mask(SIG_UNBLOCK, OURS);
}

/*
 * Under the lock: an action that was installed by a system call of its own, as sanitizers do when
 * they begin, is one that the program wants. Ours is installed again.
 */
static void see_action(int place)
{
	struct kernel_action act = our_action(), seen;

	if (kernel_action(ours_all[place], NULL, &seen) == 0 && seen.handler != act.handler) {
		wanted[place] = seen;
		kernel_action(ours_all[place], &act, NULL);
	}
}

void emu_signals_check(void)
{
	uint64_t mask = lock_wanted();
	unsigned int i;

	for (i = 0; i < ours_count; i++)
		if (find_place(ours_all[i]) >= 0)
			see_action((int)i);
	unlock_wanted(mask);
	believed |= set_mask(SIG_UNBLOCK, OURS) & OURS;
}

/*
 * The program has no handler for the signal: let the signal end it, at the instruction that raised
 * it.
 */
static void end_by_signal(int signo, siginfo_t *info, bool made)
{
	struct kernel_action act = { .handler = (uintptr_t)SIG_DFL };

	kernel_action(signo, &act, NULL);
	if (!made)
		return; /* the instruction runs again and raises it again */
	set_mask(SIG_BLOCK, BIT(signo));
	raw_syscall4(SYS_rt_tgsigqueueinfo, raw_getpid(), raw_gettid(), signo, info);
}

void emu_signal_deliver(int signo, siginfo_t *info, ucontext_t *uc, bool made)
{
	uint64_t mask = lock_wanted(), saved;
	struct kernel_action act = wanted[find_place(signo)];

	if ((act.flags & SA_RESETHAND) && act.handler > (uintptr_t)SIG_IGN)
		wanted[find_place(signo)] = (struct kernel_action){ .handler = (uintptr_t)SIG_DFL };
	unlock_wanted(mask);

	if (act.handler == (uintptr_t)SIG_IGN && info->si_code <= 0)
		return;
	if (act.handler <= (uintptr_t)SIG_IGN) {
		end_by_signal(signo, info, made || info->si_code <= 0);
		return;
	}
	/*
	 * As the kernel does: block what was blocked before and what is in the mask of the handler,
	 * but not ours.
	 */
	saved = *(uint64_t *)(void *)&uc->uc_sigmask;
	set_mask(SIG_SETMASK, (saved | act.mask) & ~OURS);
	((emu_handler_fn *)act.handler)(signo, info, uc);
	set_mask(SIG_SETMASK, mask);
	emu_signals_interrupted(uc); /* it may have changed the mask in the context */
}

/* --- functions that the program calls --- */

static uint64_t *mask_word(sigset_t *set)
{
	return (uint64_t *)(void *)set;
}

/* Exchange the action that the program wants for one of ours; now NULL: only read it. */
static struct kernel_action exchange_wanted(int place, const struct kernel_action *now)
{
	uint64_t mask = lock_wanted();
	struct kernel_action before;

	see_action(place); /* else the next check would take that one for newer than this */
	before = wanted[place];
	if (now)
		wanted[place] = *now;
	unlock_wanted(mask);
	before.flags &= ~SA_RESTORER_BIT;
	before.restorer = NULL;
	return before;
}

/* sigaction() for one of ours: the action is only noted. */
static int note_action(int place, const struct sigaction *act, struct sigaction *old)
{
	struct kernel_action now = { 0 }, before;
	struct sigaction copy = { 0 };

	if (act) {
		if (emu_fetch(&copy, (uintptr_t)act, sizeof(copy), NULL))
			return -EFAULT;
		now.handler = (uintptr_t)copy.sa_sigaction;
		now.flags = (unsigned long)copy.sa_flags;
		now.mask = *mask_word(&copy.sa_mask);
	}
	before = exchange_wanted(place, act ? &now : NULL);
	if (old) {
		copy = (struct sigaction){ 0 };
		copy.sa_sigaction = (void (*)(int, siginfo_t *, void *))before.handler;
		copy.sa_flags = (int)before.flags;
		*mask_word(&copy.sa_mask) = before.mask;
		*old = copy;
	}
	return 0;
}

/* rt_sigaction(2) of any other signal: ours are not blocked in its handler. */
static long change_other_action(int signo, const struct kernel_action *act,
				struct kernel_action *old)
{
	struct kernel_action copy;
	uint64_t hidden = 0;
	long ret;

	if (act) {
		copy = *act;
		hidden = copy.mask & OURS;
		copy.mask &= ~OURS;
		act = &copy;
	}
	ret = kernel_action(signo, act, old);
	if (ret)
		return ret;
	old->mask |= __atomic_load_n(&believed_mask[signo], __ATOMIC_RELAXED);
	if (act)
		__atomic_store_n(&believed_mask[signo], hidden, __ATOMIC_RELAXED);
	return 0;
}

long emu_signals_raw_action(int signo, uint64_t act, uint64_t old, uint64_t size)
{
	struct kernel_action now, before = { 0 };
	int place = find_place(signo);
	long ret = 0;

	if (size != sizeof(uint64_t) || signo < 1 || signo > 64)
		return -EINVAL;
	if (act && emu_fetch(&now, act, sizeof(now), NULL))
		return -EFAULT;
	if (place >= 0)
		before = exchange_wanted(place, act ? &now : NULL);
	else
		ret = change_other_action(signo, act ? &now : NULL, &before);
	if (ret == 0 && old && emu_store(old, &before, sizeof(before), NULL))
		ret = -EFAULT;
	return ret;
}

bool emu_signals_strip(uint64_t *mask)
{
	bool any = *mask & OURS;

	*mask &= ~OURS;
	return any;
}

/* Compute the mask that the program believes to have after a change. */
static long compute_mask(int how, uint64_t bits, uint64_t before, uint64_t *after)
{
	switch (how) {
	case SIG_BLOCK:
		*after = before | bits;
		return 0;
	case SIG_UNBLOCK:
		*after = before & ~bits;
		return 0;
	case SIG_SETMASK:
		*after = bits;
		return 0;
	default:
		return -EINVAL;
	}
}

long emu_signals_raw_mask(int how, uint64_t set, uint64_t old, uint64_t size, uint64_t *live)
{
	uint64_t bits, after, before = (live ? *live : set_mask(SIG_BLOCK, 0)) | believed;
	long ret;

	if (size != sizeof(uint64_t))
		return -EINVAL;
	if (set) {
		if (emu_fetch(&bits, set, sizeof(bits), NULL))
			return -EFAULT;
		ret = compute_mask(how, bits & ~(BIT(SIGKILL) | BIT(SIGSTOP)), before, &after);
		if (ret)
			return ret;
		believed = after & OURS;
		if (live)
			*live = after & ~OURS;
		else
			set_mask(SIG_SETMASK, after & ~OURS);
	}
	return old && emu_store(old, &before, sizeof(before), NULL) ? -EFAULT : 0;
}

typedef int sigaction_fn(int, const struct sigaction *, struct sigaction *);

/*
 * A handler may change the mask in the context that it returns to. So it returns by our system
 * call, which the kernel reports, and not by one in libc, which it does not.
 */
static void use_our_restorer(int signo)
{
	struct kernel_action act;

	if (restorer == emu_restore || kernel_action(signo, NULL, &act) ||
	    act.handler <= (uintptr_t)SIG_IGN)
		return;
	act.restorer = emu_restore;
	kernel_action(signo, &act, NULL);
}

static int do_sigaction(int signo, const struct sigaction *act, struct sigaction *old)
{
	int place = find_place(signo), ret;
	uint64_t hidden = 0;
	struct sigaction copy;

	if (signo < 1 || signo > _NSIG || !emu.state)
		return EMU_NEXT(sigaction_fn *, "sigaction")(signo, act, old);
	if (place >= 0) {
		ret = note_action(place, act, old);
		if (ret) {
			errno = -ret;
			return -1;
		}
		return 0;
	}
	/*
	 * Ours must not be blocked in other handlers of the program, either, as these may submit.
	 */
	if (act) {
		copy = *act;
		hidden = *mask_word(&copy.sa_mask) & OURS;
		*mask_word(&copy.sa_mask) &= ~OURS;
		act = &copy;
	}
	ret = EMU_NEXT(sigaction_fn *, "sigaction")(signo, act, old);
	if (ret == 0) {
		if (old)
			*mask_word(&old->sa_mask) |=
				__atomic_load_n(&believed_mask[signo], __ATOMIC_RELAXED);
		if (act) {
			__atomic_store_n(&believed_mask[signo], hidden, __ATOMIC_RELAXED);
			use_our_restorer(signo);
		}
	}
	return ret;
}

int emu_signals_action(int signo, const struct sigaction *act, struct sigaction *old)
{
	return do_sigaction(signo, act, old);
}

EMU_INTERPOSE(int, sigaction, int signo, const struct sigaction *act, struct sigaction *old)
{
	return do_sigaction(signo, act, old);
}

EMU_INTERPOSE(int, __sigaction, int signo, const struct sigaction *act, struct sigaction *old)
{
	return do_sigaction(signo, act, old);
}

static sighandler_t do_signal(int signo, sighandler_t handler, int flags, const char *name)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = flags }, old;
	typedef sighandler_t signal_fn(int, sighandler_t);

	/* Only our signals matter here; libc handles the others. */
	if (find_place(signo) < 0 || !emu.state)
		return ((signal_fn *)(uintptr_t)emu_next(name))(signo, handler);
	if (!(flags & SA_NODEFER))
		*mask_word(&act.sa_mask) = BIT(signo);
	return do_sigaction(signo, &act, &old) ? SIG_ERR : old.sa_handler;
}

EMU_INTERPOSE(sighandler_t, signal, int signo, sighandler_t handler)
{
	return do_signal(signo, handler, SA_RESTART, "signal");
}

EMU_INTERPOSE(sighandler_t, bsd_signal, int signo, sighandler_t handler)
{
	return do_signal(signo, handler, SA_RESTART, "bsd_signal");
}

EMU_INTERPOSE(sighandler_t, ssignal, int signo, sighandler_t handler)
{
	return do_signal(signo, handler, SA_RESTART, "ssignal");
}

EMU_INTERPOSE(sighandler_t, sysv_signal, int signo, sighandler_t handler)
{
	return do_signal(signo, handler, SA_RESETHAND | SA_NODEFER, "sysv_signal");
}

EMU_INTERPOSE(sighandler_t, __sysv_signal, int signo, sighandler_t handler)
{
	return do_signal(signo, handler, SA_RESETHAND | SA_NODEFER, "__sysv_signal");
}

typedef int mask_fn(int, const sigset_t *, sigset_t *);

/*
 * Take our signals out of what is to be blocked, and add those that the program believes to have
 * blocked to the result.
 */
static int do_mask(mask_fn *next, int how, const sigset_t *set, sigset_t *old)
{
	uint64_t before = believed, bits = 0;
	sigset_t copy;
	int ret;

	if (set) {
		copy = *set;
		bits = *mask_word(&copy) & OURS;
		if (how != SIG_UNBLOCK)
			*mask_word(&copy) &= ~OURS;
		set = &copy;
	}
	ret = next(how, set, old);
	if (ret)
		return ret;
	if (set)
		emu_signals_believe(how, bits);
	if (old)
		*mask_word(old) |= before;
	return 0;
}

EMU_INTERPOSE(int, sigprocmask, int how, const sigset_t *set, sigset_t *old)
{
	mask_fn *next = EMU_NEXT(mask_fn *, "sigprocmask");

	return emu.state ? do_mask(next, how, set, old) : next(how, set, old);
}

EMU_INTERPOSE(int, pthread_sigmask, int how, const sigset_t *set, sigset_t *old)
{
	mask_fn *next = EMU_NEXT(mask_fn *, "pthread_sigmask");

	return emu.state ? do_mask(next, how, set, old) : next(how, set, old);
}

/* For calls that wait under a mask of their own. ppoll is in wrap_files.c, with poll. */
const sigset_t *emu_signals_open(const sigset_t *mask, sigset_t *copy)
{
	if (!mask || !emu.state)
		return mask;
	*copy = *mask;
	*mask_word(copy) &= ~OURS;
	return copy;
}

EMU_INTERPOSE(int, sigsuspend, const sigset_t *mask)
{
	typedef int sigsuspend_fn(const sigset_t *);
	sigset_t copy;

	return EMU_NEXT(sigsuspend_fn *, "sigsuspend")(emu_signals_open(mask, &copy));
}

EMU_INTERPOSE(int, pselect, int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *timeout,
	      const sigset_t *mask)
{
	typedef int pselect_fn(int, fd_set *, fd_set *, fd_set *, const struct timespec *,
			       const sigset_t *);
	sigset_t copy;

	return EMU_NEXT(pselect_fn *, "pselect")(n, r, w, e, timeout,
						 emu_signals_open(mask, &copy));
}

EMU_INTERPOSE(int, epoll_pwait, int fd, struct epoll_event *events, int n, int timeout,
	      const sigset_t *mask)
{
	typedef int epoll_pwait_fn(int, struct epoll_event *, int, int, const sigset_t *);
	sigset_t copy;

	return EMU_NEXT(epoll_pwait_fn *, "epoll_pwait")(fd, events, n, timeout,
							 emu_signals_open(mask, &copy));
}
