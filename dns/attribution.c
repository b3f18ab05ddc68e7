/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/attribution.h"

enum dns_tie dns_tie(const struct dns_connector *connector, const struct dns_receiver *receiver)
{
	if (receiver->time_ns > connector->time_ns)
		return DNS_TIE_NONE;
	if (receiver->tgid && receiver->tgid == connector->tgid &&
	    receiver->time_ns >= connector->process_ns)
		return DNS_TIE_PROCESS;
	if (receiver->netns && receiver->netns == connector->netns)
		return DNS_TIE_NAMESPACE;
	return DNS_TIE_LATEST;
}

bool dns_better(enum dns_tie tie, const struct dns_receiver *receiver, enum dns_tie best_tie,
		const struct dns_receiver *best)
{
	if (tie == DNS_TIE_NONE)
		return false;
	if (tie != best_tie)
		return tie > best_tie;
	return receiver->time_ns >= best->time_ns;
}
