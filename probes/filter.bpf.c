/* SPDX-License-Identifier: (Apache-2.0 OR GPL-2.0-only) */
/*
 * Filters. Each is a #define above when the user asked for it; each is looked at
 * before anything is remembered, so that what is filtered out leaves nothing behind.
 */
#ifdef FILTER_CGROUPMAP
BPF_HASH(cgroupset, __u64, __u64, 1); /* stands for the pinned map */
#endif
#ifdef FILTER_MNTNSMAP
BPF_HASH(mntnsset, __u64, __u32, 1); /* stands for the pinned map */
#endif

#ifdef FILTER_CGROUP
BPF_CGROUP_ARRAY(cgroup, 1); /* the directory given */
#endif
#ifdef FILTER_DADDR
/* A net: its family in front of the address, so that both share one table. */
struct net_key {
	__u32 prefix; /* bits of what follows */
	__u8 family;  /* 4 or 6 */
	__u8 address[16];
	__u8 unused[3];
};

BPF_F_TABLE("lpm_trie", struct net_key, __u8, nets, 1024, BPF_F_NO_PREALLOC);
#endif

static __u32 current_mntns(void)
{
	void *task = (void *)bpf_get_current_task();
	void *nsproxy = pointer_at(task, OFFSET_TASK_NSPROXY);
	void *mntns = nsproxy ? pointer_at(nsproxy, OFFSET_NSPROXY_MNT_NS) : 0;
	__u32 inum = 0;

	if (!mntns) /* the task is exiting */
		return 0;
#ifdef OFFSET_MNT_NS_INUM
	FIELD_READ(inum, mntns, OFFSET_MNT_NS_INUM);
#else
	/*
	 * No installed header has struct mnt_namespace. Its ns_common comes first, or, before
	 * Linux 5.11, behind a counter of 8 bytes. The kernel hands out inode numbers of
	 * namespaces from 0xeffffff0 up, which is no part of a pointer into the kernel's image.
	 */
	FIELD_READ(inum, mntns, OFFSET_NS_COMMON_INUM);
	if (inum < 0xeffffff0)
		FIELD_READ(inum, mntns, OFFSET_NS_COMMON_INUM + 8);
#endif
	return inum;
}

static int process_wanted(void)
{
#ifdef FILTER_PID
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (!(FILTER_PID(pid)))
		return 0;
#endif
#ifdef FILTER_UID
	__u32 uid = bpf_get_current_uid_gid();

	if (!(FILTER_UID(uid)))
		return 0;
#endif
#ifdef FILTER_CGROUPMAP
	__u64 cgroup_id = bpf_get_current_cgroup_id();

	if (!cgroupset.lookup(&cgroup_id))
		return 0;
#endif
#ifdef FILTER_MNTNSMAP
	__u64 mntns = current_mntns();

	if (!mntnsset.lookup(&mntns))
		return 0;
#endif
#ifdef FILTER_CGROUP
	if (cgroup.check_current_task(0) <= 0)
		return 0;
#endif
#ifdef FILTER_COMM
	__u64 comm[2] = {};

	bpf_get_current_comm(comm, sizeof(comm));
	if (!(FILTER_COMM(comm)))
		return 0;
#endif
	return 1;
}

static __u32 socket_netns(void *sk)
{
	void *net = pointer_at(sk, OFFSET_SOCK_NET);
	__u32 inum = 0;

	FIELD_READ(inum, net, OFFSET_NET_INUM);
	return inum;
}

/* Where a process asked to connect to, or a socket is connecting to. */
struct destination {
	__u16 port;  /* host byte order */
	__u8 family; /* 4 or 6 */
	__u8 mapped; /* was an IPv4-mapped IPv6 address */
	__u32 unused;
	__u8 address[16];
};

static int destination_wanted(void *sk, const struct destination *to)
{
#ifdef FILTER_FAMILY
	if (to->family != FILTER_FAMILY)
		return 0;
#endif
#ifdef FILTER_PORT
	if (!(FILTER_PORT(to->port)))
		return 0;
#endif
#ifdef FILTER_DADDR
	/* The narrowest net that holds the address decides; without one, what the user implied. */
	struct net_key key = {.prefix = 8 + 128, .family = to->family};
	__u8 *shown;

	__builtin_memcpy(key.address, to->address, sizeof(key.address));
	shown = nets.lookup(&key);
	if (!(shown ? *shown : FILTER_DADDR))
		return 0;
#endif
#ifdef FILTER_NETNS
	if (!(FILTER_NETNS(socket_netns(sk))))
		return 0;
#endif
	return 1;
}
