/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/measures.h"

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define OVERFLOW_ID                                                                                \
	65534 /* the kernel's own for users it cannot name; "nobody" almost everywhere */

/* Read without the name service, whose libraries cost more than the rest of the start. */
static bool find_in_file(const char *name, struct sandbox_user *user)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry = NULL;

	if (!file)
		return false;
	while ((entry = fgetpwent(file)) != NULL && strcmp(entry->pw_name, name) != 0)
		;
	if (entry) {
		user->uid = entry->pw_uid;
		user->gid = entry->pw_gid;
	}
	fclose(file);
	return entry != NULL;
}

int sandbox_find_user(const char *name, struct sandbox_user *user, struct error *error)
{
	const struct passwd *entry;

	user->asked = name != NULL;
	if (find_in_file(name ? name : SANDBOX_USER, user))
		return 0;
	if (!name) {
		user->uid = user->gid = OVERFLOW_ID;
		return 0;
	}
	entry = getpwnam(name);
	if (!entry)
		return fail(error, "--user: there is no user '%s'", name);
	user->uid = entry->pw_uid;
	user->gid = entry->pw_gid;
	return 0;
}

const char *give_up_groups(void)
{
	if (setgroups(0, NULL) == 0 || getgroups(0, NULL) == 0)
		return NULL;
	return errno == EPERM ? "CAP_SETGID is missing" : "the kernel refused";
}

static bool is_group(gid_t gid)
{
	gid_t real, effective, saved;

	return getresgid(&real, &effective, &saved) == 0 && real == gid && effective == gid &&
	       saved == gid;
}

static bool is_user(uid_t uid)
{
	uid_t real, effective, saved;

	return getresuid(&real, &effective, &saved) == 0 && real == uid && effective == uid &&
	       saved == uid;
}

/*
 * Whoever started this process may want it to end with its own end; the kernel forgets that
 * when the user changes.
 */
static void restore_parents_wish(int number, pid_t parent)
{
	if (!number)
		return;
	prctl(PR_SET_PDEATHSIG, number);
	if (getppid() != parent) /* it ended meanwhile */
		raise(number);
}

const char *give_up_identity(const struct sandbox_user *user, bool keeps)
{
	const char *without = NULL;
	int at_parents_end = 0;
	pid_t parent = getppid();

	prctl(PR_GET_PDEATHSIG, &at_parents_end);
	if (setresgid(user->gid, user->gid, user->gid) && !is_group(user->gid))
		without = errno == EPERM ? "CAP_SETGID is missing" : "the kernel refused the group";
	if (keeps && prctl(PR_SET_KEEPCAPS, 1))
		return "the kernel would take the capability that must stay";
	if (setresuid(user->uid, user->uid, user->uid) && !is_user(user->uid))
		without = errno == EPERM ? "CAP_SETUID is missing" : "the kernel refused the user";
	prctl(PR_SET_KEEPCAPS, 0);
	restore_parents_wish(at_parents_end, parent);
	return without;
}
