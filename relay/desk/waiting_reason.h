// Why the mail of a path does not go, in words that do not change while the reason is the same: one
// vocabulary for all that people look at. Loop thread.
#pragma once

#include <string>

#include "conf/vocab/time.h"
#include "relay/admin/census.h"
#include "relay/flow/dispatcher.h"
#include "relay/flow/path.h"
#include "relay/flow/stream_table.h"
#include "relay/queue/delivery.h"
#include "relay/queue/domain_table.h"
#include "relay/queue/last_replies.h"

namespace relay {

struct Reason {
  std::string text;                    // "": nothing is known to keep it back
  conf::Instant until = conf::kNever;  // when that ends; kNever: nobody knows
  bool of_other_mail = false;          // the receiver owes a reply to a message that is being sent
};
// What holds a path back whatever its limits allow: a block, a pause, a back-off.
Reason held_back(const queue::Path& path, conf::Instant now);
// Of a path that nothing else holds back: that it failed, or that the login waits which it shares with
// others.
Reason tried_again(const queue::Path& path, const Logins& logins, conf::Instant now);
// Whether it is an order that blocks the path, and not a block by the replies that ends later.
bool blocked_by_order(const queue::Path& path, conf::Instant now);
// Of a path that is being tried; `since` 0: without a time, as what many wait for is counted by its words.
std::string being_tried(const queue::Path& path, conf::Duration since);
// Of a path whose receiver lets us wait for the reply to a command of a message.
std::string no_reply(bounce::Stage stage);
// Of mail that may be counted elsewhere since an edit of the rules.
inline constexpr const char* kAwaitsRules =
    "waits a moment: after an edit of the rules its counters are added up";
// Of the mail that waits on the path: what the dispatcher last found to bind it, or finds now. Null: it is
// not asked.
Reason waiting_reason(queue::Path* path, Dispatcher* dispatcher, conf::Instant now);
Reason waiting_reason(const queue::Delivery& delivery, const queue::LastReplies& replies,
                      const queue::StreamTable& streams, Dispatcher* dispatcher, conf::Instant now);
// Of the mail of the stream, whatever its path: an order keeps it back.
Reason held_stream(const queue::StreamTable& streams, uint16_t stream, conf::Instant now);
// Both must end: the one that ends last says when, and the other stands behind it in brackets.
Reason later_of(Reason schedule, const Reason& hold);
admin::WaitingState waiting_state(queue::DeliveryState state);
// With the time that is left: "blocked after refusals, for another 1 h 52 min".
std::string in_words(const Reason& reason, conf::Instant now);

}  // namespace relay
