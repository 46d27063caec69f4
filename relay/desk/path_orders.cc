#include "relay/desk/path_orders.h"

#include <utility>

#include "relay/journal/events.h"

namespace relay {

void tell_ordered(Transit* transit, const queue::Path& path, std::vector<mx::Decision> decisions,
                  const std::string& who) {
  for (mx::Decision& decision : decisions) {
    if (decision.ordered) decision.by = journal::operator_text(who);
  }
  transit->dispatcher().gate().tell(path, decisions);
}

void hold_path(Transit* transit, queue::Path* path, const OrderBook::Entry& entry,
               const admin::MxOrder& teller, conf::Instant now) {
  path->holds.order_until(entry.until);
  mx::Decision decision;
  decision.action = mx::Decision::Action::kBlock;
  decision.ordered = true;
  decision.until = path->blocked_until();  // what else holds it may end later
  const std::string why = who_and_why(teller);
  decision.text = (why.empty() ? "blocked" : why) + ": nothing is sent " + mx::until_text(entry.until, now);
  if (decision.until > entry.until)
    decision.text += "; the block that the replies brought holds " + mx::until_text(decision.until, now);
  tell_ordered(transit, *path, {std::move(decision)}, teller.who);
  transit->dispatcher().poke(path);
}

void free_path(Transit* transit, queue::Path* path, const std::string& why, const std::string& who,
               conf::Instant now) {
  path->holds.end_order();
  mx::Decision decision;
  decision.action = mx::Decision::Action::kUnblock;
  decision.ordered = true;
  decision.text = why;
  if (path->blocked(now))
    decision.text +=
        "; the block that the replies brought holds " + mx::until_text(path->blocked_until(), now);
  tell_ordered(transit, *path, {std::move(decision)}, who);
  transit->dispatcher().poke(path);
}

}  // namespace relay
