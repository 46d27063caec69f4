#include "relay/desk/order_book.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string_view>
#include <utility>

#include "relay/flow/counter_keeper.h"

namespace relay {

namespace {

std::string field(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\t' || c == '\n'; }, ' ');
  if (text.size() > OrderBook::kLongestText) text.resize(OrderBook::kLongestText);
  return text;
}

constexpr size_t kLeastParts = 8;  // of a line that an older version wrote, which knew no streams

std::vector<std::string> parts_of(std::string_view line) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = std::min(line.find('\t'), line.size());
    parts.emplace_back(line.substr(0, end));
    if (end == line.size()) return parts;
    line.remove_prefix(end + 1);
  }
}

}  // namespace

bool same_target(const admin::MxOrder& a, const admin::MxOrder& b) {
  return a.all == b.all && a.rule == b.rule && a.site == b.site && a.domain == b.domain &&
         a.source == b.source && a.stream == b.stream;
}

std::string who_and_why(const admin::MxOrder& order) {
  if (order.who.empty()) return order.why;
  return order.why.empty() ? "ordered by " + order.who : order.why + " (ordered by " + order.who + ")";
}

OrderBook::OrderBook(spool::Spool* spool, const spool::RelayClock* clock) : spool_(spool), clock_(clock) {
  if (spool_ == nullptr) return;
  const conf::Result<std::string> kept = spool_->kept_value(CounterKeeper::kOrdersKey);
  if (kept.ok()) read(kept.value());
}

bool OrderBook::add(const admin::MxOrder& order, conf::Instant until) {
  set_ended_apart(clock_->now());  // one that has ended is not the one that is given anew
  const auto same =
      std::ranges::find_if(entries_, [&](const Entry& each) { return same_target(each.order, order); });
  if (same != entries_.end()) {
    *same = {order, until};
  } else if (entries_.size() >= kMost) {
    return false;
  } else {
    entries_.push_back({order, until});
  }
  keep();
  return true;
}

bool OrderBook::lift(const admin::MxOrder& order, const std::function<bool(const admin::MxOrder&)>& covered) {
  set_ended_apart(clock_->now());
  const bool found = std::erase_if(entries_, [&](const Entry& each) {
                       return same_target(each.order, order) || covered(each.order);
                     }) > 0;
  if (found) keep();
  return found;
}

bool OrderBook::has(const admin::MxOrder& order) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& each) { return same_target(each.order, order); });
}

void OrderBook::rename_rule(const std::string& from, const std::string& to) {
  std::vector<Entry> before;
  entries_.swap(before);
  for (Entry& entry : before) {
    if (entry.order.rule == from) entry.order.rule = to;
    const auto same = std::ranges::find_if(
        entries_, [&entry](const Entry& each) { return same_target(each.order, entry.order); });
    if (same == entries_.end())
      entries_.push_back(std::move(entry));
    else if (same->until < entry.until)
      *same = std::move(entry);
  }
  keep();
}

conf::Instant OrderBook::first_end() const {
  conf::Instant first = ended_.empty() ? conf::kNever : conf::Instant{};
  for (const Entry& each : entries_) first = std::min(first, each.until);
  return first;
}

void OrderBook::set_ended_apart(conf::Instant now) {
  const auto over = std::stable_partition(entries_.begin(), entries_.end(),
                                          [now](const Entry& each) { return each.until > now; });
  ended_.insert(ended_.end(), std::make_move_iterator(over), std::make_move_iterator(entries_.end()));
  entries_.erase(over, entries_.end());
}

const std::vector<OrderBook::Entry>& OrderBook::all(conf::Instant now) {
  set_ended_apart(now);
  return entries_;
}

std::vector<OrderBook::Entry> OrderBook::take_ended(conf::Instant now) {
  set_ended_apart(now);
  if (ended_.empty()) return {};
  std::vector<Entry> ended = std::exchange(ended_, {});
  keep();  // after a restart they are not told again
  return ended;
}

// A line an order: until (us since 1970; 0: until it is lifted), "*" for all, rule, site, domain, source,
// who, why, and of an order on streams their mask: older versions pass over those lines alone.
void OrderBook::keep() {
  if (spool_ == nullptr) return;
  std::string text;
  const conf::Instant now = clock_->now();
  for (const Entry& entry : all(now)) {
    const int64_t until =
        entry.until == conf::kNever ? 0 : conf::unix_micros(clock_->wall() + (entry.until - now));
    const admin::MxOrder& order = entry.order;
    text += std::to_string(until) + '\t' + (order.all ? "*" : "");
    for (const std::string* part :
         {&order.rule, &order.site, &order.domain, &order.source, &order.who, &order.why})
      text += '\t' + field(*part);
    if (!order.stream.empty()) text += '\t' + field(order.stream);
    text += '\n';
  }
  spool_->keep(std::string(CounterKeeper::kOrdersKey), text, {});
}

void OrderBook::read(const std::string& text) {
  const conf::Instant now = clock_->now();
  for (size_t at = 0; at < text.size() && entries_.size() < kMost;) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::vector<std::string> parts = parts_of(std::string_view(text).substr(at, end - at));
    at = end + 1;
    int64_t until = 0;
    if (parts.size() < kLeastParts ||
        std::from_chars(parts[0].data(), parts[0].data() + parts[0].size(), until).ec != std::errc())
      continue;
    Entry entry;
    entry.until = until == 0 ? conf::kNever : now + (conf::from_unix_micros(until) - clock_->wall());
    entry.order.all = parts[1] == "*";
    entry.order.rule = parts[2];
    entry.order.site = parts[3];
    entry.order.domain = parts[4];
    entry.order.source = parts[5];
    entry.order.who = parts[6];
    entry.order.why = parts[7];
    if (parts.size() > kLeastParts) entry.order.stream = parts[kLeastParts];
    entries_.push_back(std::move(entry));
  }
}

}  // namespace relay
