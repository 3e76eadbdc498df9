// SPDX-License-Identifier: GPL-2.0
/*
 * How many files are open, and requests for the work that searches for channels.
 *
 * A provider of channels is kept busy, and loaded, only while a file is open. All searching,
 * watching and ending happens in one work (watch.c), so that it needs no lock, and a thread that
 * opens the device waits for that work in a way that a signal can end: a driver can take any time
 * to provide a channel.
 */
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "base.h"
#include "users.h"

static DEFINE_SPINLOCK(users_lock);
static unsigned int users;		/* open files; users_lock */
static unsigned int asked_last;		/* number of the last search asked for; users_lock */
static unsigned int done_last;		/* number of the last search done; users_lock */
static DECLARE_WAIT_QUEUE_HEAD(done_wait);
static struct work_struct search_work;

void svad_users_init(work_func_t search)
{
	INIT_WORK(&search_work, search);
}

void svad_users_exit(void)
{
	cancel_work_sync(&search_work);
}

/* Any context. */
void svad_search_soon(void)
{
	queue_work(svad_wq, &search_work);
}

/* Returns when a search that began after the call is done. */
void svad_search_now(void)
{
	svad_search_soon();
	flush_work(&search_work);
}

/* Whether a file is open; @asked: the search that was asked for last. */
bool svad_users_exist(unsigned int *asked)
{
	bool exist;

	spin_lock(&users_lock);
	*asked = asked_last;
	exist = users;
	spin_unlock(&users_lock);
	return exist;
}

void svad_search_done(unsigned int asked)
{
	spin_lock(&users_lock);
	done_last = asked;
	spin_unlock(&users_lock);
	wake_up_all(&done_wait);
}

/*
 * A file is opened. If it is the first, or there are no channels, returns after a search for them;
 * or -EINTR if the thread is killed.
 */
int svad_users_get(bool have_channels)
{
	unsigned int asked;
	bool enough;

	spin_lock(&users_lock);
	enough = users++ && have_channels;
	if (!enough)
		asked_last++;
	asked = asked_last;
	spin_unlock(&users_lock);
	if (enough)
		return 0;
	svad_search_soon();
	if (!wait_event_killable(done_wait, (int)(READ_ONCE(done_last) - asked) >= 0))
		return 0;
	svad_users_put();
	return -EINTR;
}

void svad_users_put(void)
{
	bool last;

	spin_lock(&users_lock);
	last = !--users;
	spin_unlock(&users_lock);
	if (last)
		svad_search_soon();
}

/* The last request of a closed file is done: its channel may be idle now, and can end. */
void svad_users_idle(void)
{
	if (!READ_ONCE(users))
		svad_search_soon();
}
