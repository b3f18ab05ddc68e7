/* SPDX-License-Identifier: (Apache-2.0 OR GPL-2.0-only) */
/*
 * How the probes read the kernel. Each OFFSET_... comes from the table of fields: a number
 * that the kernel's BTF told, or a compiler that read its headers.
 */
#ifdef NO_PROBE_READ_KERNEL /* before Linux 5.5 one helper read both */
#define bpf_probe_read_kernel bpf_probe_read
#define bpf_probe_read_user   bpf_probe_read
#endif

#define FIELD_READ(destination, base, offset)                                                      \
	bpf_probe_read_kernel(&(destination), sizeof(destination), (const char *)(base) + (offset))

#define FAMILY_UNSPEC     0
#define FAMILY_INET       2
#define FAMILY_INET6      10
#define PORT_DNS          53

#define STATE_ESTABLISHED 1
#define STATE_SYN_SENT    2
#define STATE_SYN_RECV    3
#define STATE_CLOSE       7

/* A pointer field. */
static void *pointer_at(const void *base, __u32 offset)
{
	void *pointer = 0;

	bpf_probe_read_kernel(&pointer, sizeof(pointer), (const char *)base + offset);
	return pointer;
}
