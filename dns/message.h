/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TCPCONNECT_DNS_MESSAGE_H
#define TCPCONNECT_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dns/name.h"

/* Bytes of a message looked at; what follows is taken as not captured. */
#define DNS_MESSAGE_MAX 4096

/*
 * As many addresses as fit in DNS_MESSAGE_MAX bytes: header (12), question of the
 * root (5), and one SVCB record of the root (11) with priority (2), target (1) and
 * one ipv4hint (4) leave 4,061 bytes, at 4 bytes an address.
 */
#define DNS_ADDRESSES_MAX 1015

struct dns_address {
	uint8_t family;    /* 4 or 6 */
	uint8_t bytes[16]; /* network byte order; IPv4 in the first 4, the rest 0 */
};

enum dns_status {
	DNS_OK,        /* a question, and the addresses given for it (there may be none) */
	DNS_IGNORED,   /* a message that names nothing for us */
	DNS_MALFORMED, /* bytes that contradict the format; nothing in it is believed */
};

/*
 * Why a message was taken, ignored or refused; dns_why_text() has the words. Their order counts:
 * up to CUT it was taken, from SHORT on it is malformed, what stands between is ignored.
 */
enum dns_why {
	DNS_WHY_WHOLE, /* ok: the whole answer section was read */
	DNS_WHY_CUT,   /* ok: it ends early, what was whole was read */

	DNS_WHY_NOTHING_CAPTURED, /* ignored: the capture ends before the question does */
	DNS_WHY_QUERY,            /* ignored: QR is 0 */
	DNS_WHY_OPCODE,           /* ignored: not a standard query's answer */
	DNS_WHY_RCODE,            /* ignored: the answer tells of an error */
	DNS_WHY_QUESTIONS,        /* ignored: QDCOUNT is not 1 */
	DNS_WHY_CLASS,            /* ignored: QCLASS is not IN */

	DNS_WHY_SHORT,       /* malformed: ends inside the header, question or a record */
	DNS_WHY_LABEL,       /* malformed: label type 01 or 10 */
	DNS_WHY_POINTER,     /* malformed: pointer not backwards, into the header, or not allowed */
	DNS_WHY_JUMPS,       /* malformed: more pointers in one name than it can have labels */
	DNS_WHY_NAME_LENGTH, /* malformed: name longer than 255 bytes */
	DNS_WHY_RDATA,       /* malformed: RDATA of a known type does not fill RDLENGTH exactly */
	DNS_WHY_SVCPARAM,    /* malformed: SvcParams out of order, or of a wrong length */
};

struct dns_answer {
	enum dns_why why;         /* always set */
	uint16_t question_type;   /* QTYPE, host byte order; set with DNS_OK */
	uint16_t count;           /* of addresses; 0 unless DNS_OK */
	struct dns_name question; /* QNAME as it was spelled; set with DNS_OK */
	struct dns_address addresses[DNS_ADDRESSES_MAX]; /* the first count are set */
};

/*
 * Take a DNS message (RFC 1035 section 4) apart: the name asked, and the addresses
 * that its answer section gives for that name.
 *
 * msg, captured: the bytes in hand, DNS header first. wire_length: bytes of the
 * message as it travelled, at least captured; more means that the capture cut it.
 * Only *out is written, and only as far as it is set; the caller owns both.
 *
 * Taken (DNS_OK): responses (QR 1) of OPCODE QUERY and RCODE NOERROR with exactly
 * one question, of class IN and any type. Addresses are those of A (RFC 1035 3.4.1),
 * AAAA (RFC 3596 2.2), and the ipv4hint and ipv6hint of SVCB and HTTPS in
 * ServiceMode (RFC 9460 2.4.3, 7.3) of class IN in the answer section whose owner is
 * on the chain: the question's name, the target of each CNAME (RFC 1034 3.6.2)
 * whose owner is on the chain, and what each DNAME makes of a name on the chain
 * that lies below its owner (RFC 6672 2.2; at most 16 such names a message, and no
 * name above 255 bytes). Records may come in any order; names compare without
 * regard to ASCII case. An SVCB target is not followed: its addresses have their
 * own question. Addresses come in the order of the message, repeats included.
 *
 * Cut short: when the message is longer than the capture, or its TC flag is set,
 * the first record that ends beyond the captured bytes ends the reading, and what
 * was whole before counts.
 *
 * Ignored: queries, other opcodes, error answers, no or several questions, other
 * classes, captures that end before the question does. Inside a message taken,
 * records of other classes and types, and those off the chain, are skipped;
 * sections behind the answers and bytes behind the last record are not read.
 *
 * Malformed, up to the end of the answer section: see enum dns_why. The header's
 * own verdicts come first: a query with a broken name is ignored. The owner name of
 * every record must be well formed (RFC 1035 4.1.4): pointers lead to before the
 * labels they follow and behind the header, at most 127 of them. The RDATA of the
 * six types above is held against its format, whether or not on the chain:
 * RDLENGTH 4 and 16 for addresses, exactly one name for CNAME and DNAME, a
 * priority, an uncompressed name and (in ServiceMode; AliasMode says to ignore
 * them) well formed parameters with keys strictly ascending for SVCB (RFC 9460 2.2).
 *
 * Work is bounded for any input: at most 370 records are looked at (as many as fit),
 * each name costs at most 254 steps, and at most 2,048 pairs of names are compared;
 * beyond that (no server's message comes near) names are taken as different.
 * The most expensive message known costs about a millisecond (bench-dns has it).
 * No allocation, no recursion, no state.
 */
enum dns_status dns_parse(const uint8_t *msg, size_t captured, size_t wire_length,
			  struct dns_answer *out);

/* A few words for each enum dns_why, static. */
const char *dns_why_text(enum dns_why why);

#endif
