// Replies that are about the protocol and not about a recipient: the order of commands, a transaction or a
// connection that is full, an extension that is not understood after all. The code alone does not tell them
// apart, for servers use them freely.
#pragma once

#include "bounce/reply.h"

namespace bounce {

// 503 and its like (RFC 5321 §4.2.4), in the words of any server: the order of commands, synchronization, an
// error of protocol. The peer and we have lost step. False when the words are about permission ("503 5.7.1
// authentication required") or about the content: that is a refusal.
bool says_bad_sequence(const Reply& reply);
// The command itself is not known: 500, 502, and 503 or 504 to a command that stands in order.
bool says_unknown_command(const Reply& reply);
// Likewise, as the answer to a command that every server knows: it came to the peer in pieces, or at another
// point of the dialog. False when the words are about anything else: there are servers who refuse with 500.
bool says_command_lost(const Reply& reply);
// The code (RFC 5321 §4.2.2: 500, 502, 504) or the status (RFC 3463 §3.6) speaks of a command, whatever the
// words are: of a mailbox neither says anything.
bool is_about_command(const Reply& reply);
// The transaction has nobody to deliver to. After a 250 to RCPT the two sides have lost step.
bool says_no_recipient(const Reply& reply);
// RFC 5321 §4.5.3.1.10: the transaction takes no more recipients; the next one does. The codes seen: 450,
// 451, 452, 421, 550, 552, 554.
bool says_too_many_recipients(const Reply& reply);
// The connection has carried as many messages as it may; the next one takes more.
bool says_too_many_messages(const Reply& reply);
// No words but what a code alone says: nothing, the name of a host, that the channel is closed.
bool says_nothing(const Reply& reply);
// The host goes down: another one may serve. False when it is about our pace.
bool says_going_down(const Reply& reply);
// Without STARTTLS no mail is taken (RFC 3207 §4: 530).
bool says_tls_wanted(const Reply& reply);
// The peer objects to the TLS that stands, or to our part in it. False where it only asks for TLS.
bool says_tls_fails(const Reply& reply);
// The connection ended for its idleness or for a shutdown: no number is to be learnt from it.
bool says_idle_or_closing_down(const Reply& reply);

}  // namespace bounce
