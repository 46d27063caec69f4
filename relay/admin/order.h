// An order to change the queue, as it comes in the body of a POST. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/envelope.h"
#include "conf/vocab/result.h"
#include "relay/admin/queue_filter.h"

namespace relay::admin {

struct Order {
  std::vector<conf::MessageId> ids;  // these, when not empty; else what `filter` selects
  QueueFilter filter;
  bool all = false;      // no filter is meant
  bool dry_run = false;  // count only
};

// {"ids": ["..."]}, or {"filter": {"domain": "example.net", "older_than": "2h"}}, or {"all": true}; each with
// "dry_run": true. Exactly one of the three: an empty body must never mean everything.
conf::Result<Order> parse_order(std::string_view json);

// Why nothing is done when none of `ids` is in the queue.
std::string not_queued(const std::vector<conf::MessageId>& ids);

// Which messages it is about, for the log: "all", "domain = x.test, older than 2 h", "1m8a18szv0000, ...".
std::string target_text(const Order& order);

}  // namespace relay::admin
