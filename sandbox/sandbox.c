/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sandbox.h"

#include <unistd.h>
#include <sys/wait.h>
#include <linux/capability.h>
#include "sandbox/measures.h"

static const char *const names[SANDBOX_MEASURES] = {
	[SANDBOX_DESCRIPTORS] = "only the descriptors in use",
	[SANDBOX_ROOT] = "an empty root directory",
	[SANDBOX_BOUNDING] = "an empty bounding set",
	[SANDBOX_GROUPS] = "no supplementary groups",
	[SANDBOX_IDENTITY] = "another user",
	[SANDBOX_CAPABILITIES] = "no capabilities",
	[SANDBOX_NO_NEW_PRIVS] = "no new privileges",
	[SANDBOX_NO_DUMP] = "no core dumps",
	[SANDBOX_LIMITS] = "no new processes and descriptors",
	[SANDBOX_CALLS] = "few system calls",
};

const char *sandbox_measure_name(enum sandbox_measure measure)
{
	return names[measure];
}

static const char *capability_name(int capability)
{
	switch (capability) {
	case CAP_BPF:
		return "CAP_BPF";
	case CAP_SYS_ADMIN:
		return "CAP_SYS_ADMIN";
	default:
		return NULL;
	}
}

static void note(struct sandbox_report *report, enum sandbox_measure measure, const char *without)
{
	report->without[measure] = without;
}

int sandbox_enter(const struct sandbox_plan *plan, struct sandbox_report *report,
		  struct error *error)
{
	const char *without;
	int capability = -1;

	memset(report, 0, sizeof(*report));
	if (plan->maps != SANDBOX_MAPS_NONE && capability_to_read(plan->map, &capability))
		return fail(error, "the BPF maps cannot be read: %s", strerror(errno));
	report->kept = capability_name(capability);

	note(report, SANDBOX_DESCRIPTORS, give_up_descriptors(plan));
	note(report, SANDBOX_ROOT, give_up_root());
	note(report, SANDBOX_BOUNDING, give_up_bounding_set());
	note(report, SANDBOX_GROUPS, give_up_groups());
	without = give_up_identity(&plan->user, capability >= 0);
	note(report, SANDBOX_IDENTITY, without);
	if (without && plan->user.asked)
		return fail(error, "--user: cannot become that user: %s", without);
	without = give_up_capabilities(capability);
	if (without)
		return fail(error, "cannot give up the capabilities: %s", without);
	note(report, SANDBOX_NO_NEW_PRIVS, give_up_new_privileges());
	/* After the change of user, which sets it anew. */
	note(report, SANDBOX_NO_DUMP, give_up_dumps());
	note(report, SANDBOX_LIMITS, give_up_limits());
	note(report, SANDBOX_CALLS, give_up_calls(plan->maps));
	return 0;
}

/* What the child that tries writes; its strings are this program's, at the same addresses. */
struct trial {
	int failed;
	struct sandbox_report report;
	struct error error;
};

static void __attribute__((noreturn)) try_all(const struct sandbox_user *user, int map, int answer)
{
	const struct sandbox_plan plan = {
		.user = *user,
		.fds = &map,
		.fd_count = map >= 0,
		.maps = map >= 0 ? SANDBOX_MAPS_READ : SANDBOX_MAPS_NONE,
		.map = map,
	};
	struct trial trial = {0};

	dup2(answer, STDOUT_FILENO);
	trial.failed = sandbox_enter(&plan, &trial.report, &trial.error);
	/* Less than PIPE_BUF goes in one piece. */
	_exit(write(STDOUT_FILENO, &trial, sizeof(trial)) != sizeof(trial));
}

int sandbox_describe(const struct sandbox_user *user, int map, struct sandbox_report *report,
		     struct error *error)
{
	struct trial trial;
	int ends[2], status = 0;
	ssize_t got = -1;
	pid_t child;

	if (pipe(ends)) {
		error_set(error, "cannot make a pipe: %s%s", strerror(errno), error_remedy(errno));
		return 1;
	}
	fflush(NULL);
	child = fork();
	if (child == 0)
		try_all(user, map, ends[1]);
	if (child < 0)
		error_set(error, "cannot start a process: %s%s", strerror(errno),
			  error_remedy(errno));
	close(ends[1]);
	if (child > 0) {
		do {
			got = read(ends[0], &trial, sizeof(trial));
		} while (got < 0 && errno == EINTR);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
		if (got != sizeof(trial))
			error_set(error, "the process that tried did not answer (status %#x)",
				  status);
	}
	close(ends[0]);
	if (got != sizeof(trial))
		return 1;
	if (trial.failed)
		return fail(error, "%s", trial.error.line);
	*report = trial.report;
	return 0;
}
