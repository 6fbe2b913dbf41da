/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RNS_DROP_H
#define RNS_DROP_H

/* Why an incoming packet went no further; each has a counter. */
#define RNS_DROP_LIST(X)                                                       \
	X(SHORT, "too short to be a packet")                                   \
	X(LONG, "longer than the interface allows")                            \
	X(IFAC_MISSING, "access code missing")                                 \
	X(IFAC_UNEXPECTED, "access code on an interface without one")          \
	X(IFAC_WRONG, "access code wrong")                                     \
	X(HEADER, "malformed header or no data")                               \
	X(HOPS, "hop count out of range")                                      \
	X(DUPLICATE, "packet seen before")                                     \
	X(NOT_FOR_US, "transport id of another node")                          \
	X(PLAIN_HOPS, "PLAIN or GROUP packet from too far")                    \
	X(PLAIN_ANNOUNCE, "announce of a PLAIN or GROUP destination")          \
	X(NO_DEST, "no such destination here")                                 \
	X(NO_PATH, "no path to the destination")                               \
	X(NO_LINK, "no such link")                                             \
	X(LINK_IF, "link packet from the wrong interface")                     \
	X(LINK_HOPS, "link packet with the wrong hop count")                   \
	X(LINK_STATE, "link packet in the wrong state")                        \
	X(LINK_REQUEST, "bad link request")                                    \
	X(LINK_PROOF, "bad link proof")                                        \
	X(LINK_MODE, "link mode not supported")                                \
	X(DECRYPT, "does not decrypt")                                         \
	X(CONTEXT, "unknown context")                                          \
	X(ANNOUNCE_LONG, "announce over 500 bytes")                            \
	X(ANNOUNCE_SIG, "announce signature wrong")                            \
	X(ANNOUNCE_DEST, "announce of another key for a known destination")    \
	X(ANNOUNCE_OLD, "announce not newer than the one that is known")       \
	X(HELD, "announce held back: burst on its interface")                  \
	X(HOLD_FULL, "too many announces held back")                           \
	X(RATE, "announce not passed on: its destination has too many")        \
	X(RATE_FULL, "rate of a destination forgotten: too many of them")      \
	X(ANNOUNCE_OWN, "announce of a destination of this node")              \
	X(BLACKHOLE, "identity is blackholed")                                 \
	X(PROOF, "proof matches nothing")                                      \
	X(IDENTIFY, "bad identification")                                      \
	X(REQUEST, "request refused or malformed")                             \
	X(REQUEST_BIG, "request over the size limit")                          \
	X(RESPONSE, "response matches no request")                             \
	X(RESPONSE_BIG, "response over the size limit")                        \
	X(RESOURCE, "resource packet matches nothing")                         \
	X(RESOURCE_ADV, "bad resource advertisement")                          \
	X(RESOURCE_REFUSED, "resource not wanted")                             \
	X(RESOURCE_CORRUPT, "resource corrupt")                                \
	X(CHANNEL, "channel message dropped")                                  \
	X(PATH_REQUEST, "malformed path request")                              \
	X(PATH_TAG, "path request seen before")                                \
	X(PATH_LONG, "path request with an overlong tag; cut")                 \
	X(TUNNEL, "bad tunnel packet")                                         \
	X(PATH_BURST, "path request not searched for: burst on its interface") \
	X(PATH_EGRESS, "path request not sent there: too many were")           \
	X(PATH_SHARE, "path request not sent there: its share is used up")     \
	X(ANNOUNCE_MODE, "announce kept from an interface by their modes")     \
	X(PATH_NOWHERE, "path request of an unknown destination, not to search") \
	X(PATH_BARE, "nothing to pass on: no announce of the path is kept")    \
	X(PATH_BACK, "path request not answered where the path leads")         \
	X(LINK_IDLE, "relayed link unused for 15 minutes")                     \
	X(LINK_UNPROVED, "relayed link that nobody has proved")                \
	X(LINKS_FULL, "relayed link refused or forgotten: the table is full")  \
	X(PATHS_FULL, "path forgotten: the table is full")                     \
	X(KNOWN_FULL, "known destination forgotten: the table is full")        \
	X(REVERSE_FULL, "way back of a proof forgotten: the table is full")    \
	X(PATHREQS_FULL, "path request forgotten: the table is full")          \
	X(PATH_QUEUE, "too many path requests of our own wait")                \
	X(QUEUE_FULL, "announce not passed on: the queue of an interface full") \
	X(QUEUE_OLD, "announce not passed on: waited three hours for its share") \
	X(QUEUE_GONE, "announce not passed on: its path is gone")              \
	X(WAITING_FULL, "announce not passed on: too many wait")               \
	X(PATH_WAITS, "path request waits for the answer to an earlier one")   \
	X(PATH_UNANSWERED, "path request that nobody has answered")            \
	X(TX_OFFLINE, "way out is offline, or may not transmit")               \
	X(ANNOUNCE_ROOM, "announce leaves no room for a transport id")         \
	X(ANNOUNCE_FAR, "announce not passed on: too many hops")               \
	X(IF_GONE, "its interface is gone")                                    \
	X(LIMIT, "a table is full")                                            \
	X(MEMORY, "out of memory")                                             \
	X(TX_FULL, "transmit queue full")                                      \
	X(LINK_EDGE, "link cannot go from its state to that one")

enum rns_drop {
#define RNS_DROP_ENUM(name, text) RNS_DROP_##name,
	RNS_DROP_LIST(RNS_DROP_ENUM)
#undef RNS_DROP_ENUM
	RNS_DROP_COUNT
};

#endif
