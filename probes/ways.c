/* SPDX-License-Identifier: Apache-2.0 */
#include "probes/ways.h"

#include <stddef.h>
#include <unistd.h>
#include "kernel/fields.h"
#include "kernel/perf.h"
#include "kernel/sysfs.h"
#include "probes/attach.h"
#include "probes/text.h"

#define KPROBE_EVENTS "/sys/bus/event_source/devices/kprobe"

static bool waits_for_port(const struct options *options)
{
	return wants_lport(options) && !options->count;
}

#define NO_CGROUP_REFUSALS "connects refused by a cgroup's BPF program are not seen"
#define NO_LSM_REFUSALS    "connects refused by a security module are not seen"
#define NO_INSTANT_FAILURE "connects that fail at once, before a SYN, are not seen"
#define NO_IPV6            "IPv6 connects are not seen: the kernel has no tcp_v6_connect()"
#define NO_NAMES_V6        "names from IPv6 name servers are not seen"
#define NO_SYN             "connects are missed where many threads are in one at once"

static const char late_lport[] =
	"with -L, some connects are shown only when their system call ends";

/*
 * What ends an attempt stands before what begins it, so that it is attached first and detached
 * last: outcomes before all, then returns, then entries. An attempt that is seen to begin is
 * sure to be seen to end; none is taken for missed or pending at start and end.
 */
static const struct point kprobe_points[] = {
	{"state_change", POINT_RAW_TRACEPOINT, "inet_sock_set_state", wants_result, NULL},
	{"connect_return", POINT_KRETPROBE, "tcp_v4_connect", NULL, NULL},
	{"connect_return", POINT_KRETPROBE, "tcp_v6_connect", NULL, NO_IPV6},
	{"refused_return", POINT_KRETPROBE, "tcp_v4_pre_connect", NULL, NO_CGROUP_REFUSALS},
	{"refused_return", POINT_KRETPROBE, "tcp_v6_pre_connect", NULL, NO_CGROUP_REFUSALS},
	{"refused_return", POINT_KRETPROBE, "security_socket_connect", NULL, NO_LSM_REFUSALS},
	{"syn_leaves", POINT_KPROBE, "tcp_connect", NULL, NO_SYN},
	{"connect4_entry", POINT_KPROBE, "tcp_v4_connect", NULL, NULL},
	{"connect6_entry", POINT_KPROBE, "tcp_v6_connect", NULL, NO_IPV6},
	{"pre_connect_entry", POINT_KPROBE, "tcp_v4_pre_connect", NULL, NO_CGROUP_REFUSALS},
	{"pre_connect_entry", POINT_KPROBE, "tcp_v6_pre_connect", NULL, NO_CGROUP_REFUSALS},
	{"security_entry", POINT_KPROBE, "security_socket_connect", NULL, NO_LSM_REFUSALS},
	{"receive_entry", POINT_KPROBE, "udp_recvmsg", wants_dns, NULL},
	{"receive_entry", POINT_KPROBE, "udpv6_recvmsg", wants_dns, NO_NAMES_V6},
	{"answer_received", POINT_KPROBE, "skb_consume_udp", wants_dns, NULL},
	{NULL, 0, NULL, NULL, NULL},
};

static const struct point fentry_points[] = {
	{"state_change", POINT_RAW_TRACEPOINT, "inet_sock_set_state", wants_result, NULL},
	{"connect4_exit", POINT_FEXIT, "tcp_v4_connect", NULL, NULL},
	{"connect6_exit", POINT_FEXIT, "tcp_v6_connect", NULL, NO_IPV6},
	{"refused_exit", POINT_FEXIT, "tcp_v4_pre_connect", NULL, NO_CGROUP_REFUSALS},
	{"refused_exit", POINT_FEXIT, "tcp_v6_pre_connect", NULL, NO_CGROUP_REFUSALS},
	{"security_exit", POINT_FEXIT, "security_socket_connect", NULL, NO_LSM_REFUSALS},
	{"connect_enter", POINT_FENTRY, "tcp_v4_connect", wants_result, NULL},
	{"connect_enter", POINT_FENTRY, "tcp_v6_connect", wants_result, NO_IPV6},
	{"receive_entry", POINT_FENTRY, "udp_recvmsg", wants_dns, NULL},
	{"receive_entry", POINT_FENTRY, "udpv6_recvmsg", wants_dns, NO_NAMES_V6},
	{"answer_received", POINT_FENTRY, "skb_consume_udp", wants_dns, NULL},
	{NULL, 0, NULL, NULL, NULL},
};

static const struct point tracepoint_points[] = {
	{"call_enter", POINT_SYSCALL, "sys_enter_connect", NULL, NO_INSTANT_FAILURE},
	{"call_exit", POINT_SYSCALL, "sys_exit_connect", NULL, NO_INSTANT_FAILURE},
	{"timer_started", POINT_RAW_TRACEPOINT, "timer_start", waits_for_port, late_lport},
	{"packet_received", POINT_BTF_TRACEPOINT, "netif_receive_skb", wants_dns, NULL},
	{"state_change", POINT_RAW_TRACEPOINT, "inet_sock_set_state", NULL, NULL},
	{NULL, 0, NULL, NULL, NULL},
};

const struct point *way_points(enum probe_kind way)
{
	if (way == PROBE_KPROBE)
		return kprobe_points;
	return way == PROBE_FENTRY ? fentry_points : tracepoint_points;
}

bool point_only_hastens(const struct point *point)
{
	return point->without == late_lport;
}

const char *way_name(enum probe_kind way)
{
	static const char *const names[] = {"auto", "kprobe", "fentry", "tracepoint"};

	return names[way];
}

const enum probe_kind way_order[] = {PROBE_KPROBE, PROBE_FENTRY, PROBE_TRACEPOINT, PROBE_AUTO};

int way_check_offered(enum probe_kind way, struct error *error)
{
	if (way == PROBE_FENTRY && !kernel_has_btf())
		return fail(error, "this kernel has no BTF, which fentry needs (%s)",
			    sysfs_lacks("CONFIG_DEBUG_INFO_BTF"));
	if (way == PROBE_KPROBE && access(KPROBE_EVENTS "/type", F_OK))
		return fail(error, "this kernel offers no kprobes: no " KPROBE_EVENTS " (%s)",
			    sysfs_lacks("CONFIG_KPROBE_EVENTS, Linux 4.17"));
	return 0;
}

int way_check(enum probe_kind way, struct error *error)
{
	if (way_check_offered(way, error))
		return -1;
	if (way == PROBE_FENTRY && fexit_refused())
		return fail(error, "this kernel refuses fexit programs: %s", strerror(errno));
	return way == PROBE_KPROBE ? perf_events_check(error) : 0;
}
