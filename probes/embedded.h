/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_EMBEDDED_H
#define TCPCONNECT_EMBEDDED_H

/* The files of the BPF program's text, put into the tool at build time; NUL terminated. */
extern const char embedded_record_h[];
extern const char embedded_head_bpf_c[];
extern const char embedded_loss_bpf_c[];
extern const char embedded_filter_bpf_c[];
extern const char embedded_report_bpf_c[];
extern const char embedded_destination_bpf_c[];
extern const char embedded_attempt_bpf_c[];
extern const char embedded_kprobe_bpf_c[];
extern const char embedded_fentry_bpf_c[];
extern const char embedded_outcome_bpf_c[];
extern const char embedded_tracepoint_bpf_c[];
extern const char embedded_syscall_bpf_c[];
extern const char embedded_answer_bpf_c[];
extern const char embedded_answer_packet_bpf_c[];

#endif
