/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/reasons.h"

#include <string.h>

/* man/warren.1, REASONS, has the same; tests/check-manual holds them to it. */
static const struct reason reasons[RNS_DROP_COUNT] = {
    [RNS_DROP_SHORT] = {"SHORT",
	"Bytes that are no packet: fewer than any has.",
	"A peer that speaks something else on that interface; see "
	"what connects there."},
    [RNS_DROP_LONG] = {"LONG",
	"A packet over the MTU of its interface.",
	"Peers disagree on the MTU: fixed_mtu must be the same at "
	"both ends."},
    [RNS_DROP_IFAC_MISSING] = {"IFAC_MISSING",
	"The interface has an access code and the packet has none.",
	"Give the peer the same network_name and passphrase, or "
	"keep it out."},
    [RNS_DROP_IFAC_UNEXPECTED] = {"IFAC_UNEXPECTED",
	"The packet has an access code and the interface has none.",
	"Set the network_name and passphrase of the peer on this "
	"interface."},
    [RNS_DROP_IFAC_WRONG] = {"IFAC_WRONG",
	"Its access code was made with other words.",
	"network_name, passphrase and ifac_size must be the same at "
	"both ends."},
    [RNS_DROP_HEADER] = {"HEADER",
	"A packet whose header or fields are wrong, or that has no "
	"data.",
	"Nothing here; if it goes on, the peer is broken or "
	"hostile."},
    [RNS_DROP_HOPS] = {"HOPS",
	"It came from further than 128 hops.",
	"A loop of relays that are not Reticulum's, or a hostile "
	"peer."},
    [RNS_DROP_DUPLICATE] = {"DUPLICATE",
	"The same packet came before: on shared media every packet "
	"does.",
	"Nothing: this is what keeps packets from running in "
	"circles."},
    [RNS_DROP_NOT_FOR_US] = {"NOT_FOR_US",
	"Another relay is to pass it on.",
	"Nothing: on shared media every relay hears it."},
    [RNS_DROP_PLAIN_HOPS] = {"PLAIN_HOPS",
	"An unencrypted packet that is not from a neighbour.",
	"Nothing: such packets never go further than one hop."},
    [RNS_DROP_PLAIN_ANNOUNCE] = {"PLAIN_ANNOUNCE",
	"An announce of a destination that has no key.",
	"Nothing here; the program that sends it is wrong."},
    [RNS_DROP_NO_DEST] = {"NO_DEST",
	"It is for this node, and no program here has that "
	"destination.",
	"Start the program whose it is, or let it announce itself "
	"anew."},
    [RNS_DROP_NO_PATH] = {"NO_PATH",
	"It is to be relayed and no path is known.",
	"The destination must announce itself; `warrend` asks for "
	"paths by itself."},
    [RNS_DROP_NO_LINK] = {"NO_LINK",
	"It belongs to a link that is not open here, or not any "
	"more.",
	"Nothing: the other end will notice and open a new one."},
    [RNS_DROP_LINK_IF] = {"LINK_IF",
	"A packet of a link from another interface than the link's.",
	"Two interfaces lead to the same peer: take one away if it "
	"goes on."},
    [RNS_DROP_LINK_HOPS] = {"LINK_HOPS",
	"A packet of a link that came another way than the link.",
	"The mesh has changed: the ends open a new link."},
    [RNS_DROP_LINK_STATE] = {"LINK_STATE",
	"A packet that the link cannot have now, late or early.",
	"Nothing, unless it goes on with one peer."},
    [RNS_DROP_LINK_REQUEST] = {"LINK_REQUEST",
	"A link request of the wrong form.",
	"The program at the other end is wrong or hostile."},
    [RNS_DROP_LINK_PROOF] = {"LINK_PROOF",
	"The proof of a link that is not by the destination.",
	"Somebody answers for a destination that is not his; look "
	"who relays."},
    [RNS_DROP_LINK_MODE] = {"LINK_MODE",
	"A link in a mode of encryption that is not known here.",
	"One end is newer than the other: bring both up to date."},
    [RNS_DROP_DECRYPT] = {"DECRYPT",
	"It does not decrypt with the keys that are here.",
	"The sender has an old ratchet or key: it must hear a new "
	"announce."},
    [RNS_DROP_CONTEXT] = {"CONTEXT",
	"A kind of packet that nothing here takes.",
	"One end is newer than the other, or wrong."},
    [RNS_DROP_ANNOUNCE_LONG] = {"ANNOUNCE_LONG",
	"An announce that is longer than any may be.",
	"The program that announces must send less application "
	"data."},
    [RNS_DROP_ANNOUNCE_SIG] = {"ANNOUNCE_SIG",
	"An announce that its identity has not signed.",
	"Somebody on that interface forges or garbles; look who is "
	"connected."},
    [RNS_DROP_ANNOUNCE_DEST] = {"ANNOUNCE_DEST",
	"Its key does not belong to the destination that is known.",
	"Forged; look who is connected to that interface."},
    [RNS_DROP_ANNOUNCE_OLD] = {"ANNOUNCE_OLD",
	"The path that is known, or the announce of it that is held "
	"back, is as new, or shorter.",
	"Nothing: each announce comes by many ways."},
    [RNS_DROP_HELD] = {"HELD",
	"Held back: too many unknown destinations in a short time "
	"came there. They are let go one at a time when it is over.",
	"If they are welcome, raise ic_burst_freq of that interface "
	"or set ingress_control = no; lower "
	"ic_held_release_interval to let them go sooner."},
    [RNS_DROP_HOLD_FULL] = {"HOLD_FULL",
	"It could not even be held: there are too many.",
	"Raise ic_max_held_announces of that interface."},
    [RNS_DROP_RATE] = {"RATE",
	"The destination announces itself oftener than "
	"announce_rate_target allows; it is known, and not passed "
	"on.",
	"Its program must announce less; or change "
	"announce_rate_target, announce_rate_grace, "
	"announce_rate_penalty."},
    [RNS_DROP_RATE_FULL] = {"RATE_FULL",
	"How often it announces itself was forgotten: too many are "
	"counted.",
	"Nothing: only its grace begins anew."},
    [RNS_DROP_ANNOUNCE_OWN] = {"ANNOUNCE_OWN",
	"It is of a destination of this node and came back.",
	"Nothing."},
    [RNS_DROP_BLACKHOLE] = {"BLACKHOLE",
	"Its identity is on the blackhole list.",
	"`rnpath --blackholed` shows the list, `rnpath "
	"--unblackhole` takes it off; for lists of others see "
	"blackhole_sources."},
    [RNS_DROP_PROOF] = {"PROOF",
	"A proof of a packet that nobody here waits for.",
	"Nothing: it is late, or of a packet that went another way."},
    [RNS_DROP_IDENTIFY] = {"IDENTIFY",
	"Somebody on a link said whose he is, and it does not hold.",
	"The program at the other end is wrong or hostile."},
    [RNS_DROP_REQUEST] = {"REQUEST",
	"A request that is wrong, or not allowed for whoever asks.",
	"Allow the identity where the destination is made, or do "
	"not ask."},
    [RNS_DROP_REQUEST_BIG] = {"REQUEST_BIG",
	"A request that is longer than it may be.",
	"Send less at a time."},
    [RNS_DROP_RESPONSE] = {"RESPONSE",
	"An answer to nothing that was asked.",
	"Nothing: it is late."},
    [RNS_DROP_RESPONSE_BIG] = {"RESPONSE_BIG",
	"An answer that is longer than was allowed.",
	"Ask for less."},
    [RNS_DROP_RESOURCE] = {"RESOURCE",
	"A part of a transfer that does not run here.",
	"Nothing: it is late, or was cancelled."},
    [RNS_DROP_RESOURCE_ADV] = {"RESOURCE_ADV",
	"A transfer was offered in a wrong form.",
	"The program at the other end is wrong or hostile."},
    [RNS_DROP_RESOURCE_REFUSED] = {"RESOURCE_REFUSED",
	"A transfer was offered that nobody here wants.",
	"Nothing."},
    [RNS_DROP_RESOURCE_CORRUPT] = {"RESOURCE_CORRUPT",
	"A transfer came whole and is not what was offered.",
	"The sender must try again; if it goes on, he is wrong or "
	"hostile."},
    [RNS_DROP_CHANNEL] = {"CHANNEL",
	"A message of a channel that is late, wrong or too much.",
	"Nothing, unless it goes on with one peer."},
    [RNS_DROP_PATH_REQUEST] = {"PATH_REQUEST",
	"A path request of the wrong form.",
	"The program that sends it is wrong or hostile."},
    [RNS_DROP_PATH_TAG] = {"PATH_TAG",
	"The same path request came before.",
	"Nothing: it comes by many ways."},
    [RNS_DROP_PATH_LONG] = {"PATH_LONG",
	"A path request with too long a tag, which was cut.",
	"Nothing."},
    [RNS_DROP_TUNNEL] = {"TUNNEL",
	"A tunnel packet of the wrong form or signature.",
	"The peer is wrong or hostile."},
    [RNS_DROP_PATH_BURST] = {"PATH_BURST",
	"Too many path requests come from that interface: unknown "
	"destinations are not searched for meanwhile.",
	"If they are welcome, raise ic_pr_burst_freq of that "
	"interface or set ingress_control = no."},
    [RNS_DROP_PATH_EGRESS] = {"PATH_EGRESS",
	"Too many path requests went out there already.",
	"Raise ec_pr_freq of that interface, or set egress_control "
	"= no."},
    [RNS_DROP_PATH_SHARE] = {"PATH_SHARE",
	"Announces have used up their share of that interface.",
	"Raise announce_cap of that interface, if its bitrate bears "
	"it."},
    [RNS_DROP_ANNOUNCE_MODE] = {"ANNOUNCE_MODE",
	"The modes of the two interfaces keep announces from going "
	"there.",
	"See mode in warren-transport(8): access_point, roaming, "
	"boundary and internal keep announces in."},
    [RNS_DROP_PATH_NOWHERE] = {"PATH_NOWHERE",
	"Nobody knows the destination, and this interface's mode "
	"does not make the node search for it.",
	"Set mode = gateway, or recursive_prs = yes, on the "
	"interface of those who ask."},
    [RNS_DROP_PATH_BARE] = {"PATH_BARE",
	"The path is known, but no announce that could be passed "
	"on.",
	"Nothing: the next announce brings it."},
    [RNS_DROP_PATH_BACK] = {"PATH_BACK",
	"Whoever asks is on the path himself.",
	"Nothing."},
    [RNS_DROP_LINK_IDLE] = {"LINK_IDLE",
	"A link through this node carried nothing for 15 minutes.",
	"Nothing: its ends have given it up."},
    [RNS_DROP_LINK_UNPROVED] = {"LINK_UNPROVED",
	"A link was asked for through this node, and the "
	"destination did not answer.",
	"The destination is down or its path is old; the node asks "
	"for a new one."},
    [RNS_DROP_LINKS_FULL] = {"LINKS_FULL",
	"Too many links go through this node.",
	"Who opens them? `warren interfaces` shows the busiest; "
	"each interface has its share."},
    [RNS_DROP_PATHS_FULL] = {"PATHS_FULL",
	"The path that was unused for longest went: the table is "
	"full.",
	"Nothing, unless it goes on: then somebody announces "
	"without end."},
    [RNS_DROP_KNOWN_FULL] = {"KNOWN_FULL",
	"The identity that was unused for longest went: the table "
	"is full.",
	"As for PATHS_FULL."},
    [RNS_DROP_REVERSE_FULL] = {"REVERSE_FULL",
	"A packet's proof will not find its way back: too many "
	"packets wait for one.",
	"Nothing: the sender tries again."},
    [RNS_DROP_PATHREQS_FULL] = {"PATHREQS_FULL",
	"A path request was forgotten: there are too many.",
	"Who asks? `warren interfaces --wide` shows REQUESTS."},
    [RNS_DROP_PATH_QUEUE] = {"PATH_QUEUE",
	"Too many paths are to be asked for.",
	"Nothing: it is asked for again when it is needed."},
    [RNS_DROP_QUEUE_FULL] = {"QUEUE_FULL",
	"Too many announces wait for their share of that interface.",
	"Raise announce_cap or bitrate of that interface, if they "
	"are too low."},
    [RNS_DROP_QUEUE_OLD] = {"QUEUE_OLD",
	"An announce waited three hours for its share of that "
	"interface.",
	"As for QUEUE_FULL."},
    [RNS_DROP_QUEUE_GONE] = {"QUEUE_GONE",
	"An announce waited and its path is gone.",
	"Nothing."},
    [RNS_DROP_WAITING_FULL] = {"WAITING_FULL",
	"Too many announces wait to be passed on.",
	"As for PATHS_FULL."},
    [RNS_DROP_PATH_WAITS] = {"PATH_WAITS",
	"Somebody asked for the same path just now; the answer goes "
	"to both.",
	"Nothing."},
    [RNS_DROP_PATH_UNANSWERED] = {"PATH_UNANSWERED",
	"Others asked for the path, and nobody in the mesh knows "
	"it.",
	"The destination must announce itself: is it up, and "
	"connected?"},
    [RNS_DROP_TX_OFFLINE] = {"TX_OFFLINE",
	"The way out is down, or has outgoing = no.",
	"`warren interfaces` says why it is down."},
    [RNS_DROP_ANNOUNCE_ROOM] = {"ANNOUNCE_ROOM",
	"An announce without room for the mark of a relay.",
	"The program that announces must send less application "
	"data."},
    [RNS_DROP_ANNOUNCE_FAR] = {"ANNOUNCE_FAR",
	"An announce that has come too far to be passed on.",
	"Nothing."},
    [RNS_DROP_IF_GONE] = {"IF_GONE",
	"It waited for an interface that is gone.",
	"Nothing."},
    [RNS_DROP_LIMIT] = {"LIMIT",
	"Something that others can make without end is full.",
	"Nothing, unless it goes on: then see which interface "
	"brings it."},
    [RNS_DROP_MEMORY] = {"MEMORY",
	"The machine has no memory left.",
	"Give it more, or run less."},
    [RNS_DROP_TX_FULL] = {"TX_FULL",
	"More was to be sent than goes out.",
	"Nothing, unless it goes on: the machine or an interface is "
	"too slow."},
    [RNS_DROP_LINK_EDGE] = {"LINK_EDGE",
	"A link was to do what it cannot in its state.",
	"Nothing; if it goes on, please report it."},
};

const struct reason *
reason_of(enum rns_drop why)
{
	return &reasons[why];
}

const struct reason *
reason_named(const char *name)
{
	for (size_t i = 0; i < RNS_DROP_COUNT; i++)
		if (reasons[i].name != NULL &&
		    strcmp(reasons[i].name, name) == 0)
			return &reasons[i];
	return NULL;
}

const struct reason *
reason_told(const char *text)
{
	static const char *const texts[RNS_DROP_COUNT] = {
#define RNS_DROP_TEXT(name, text) [RNS_DROP_##name] = (text),
		RNS_DROP_LIST(RNS_DROP_TEXT)
#undef RNS_DROP_TEXT
	};

	for (size_t i = 0; i < RNS_DROP_COUNT; i++)
		if (strcmp(texts[i], text) == 0)
			return &reasons[i];
	return NULL;
}
