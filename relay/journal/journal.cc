#include "relay/journal/journal.h"

#include <algorithm>

#include "conf/vocab/check.h"

namespace relay::journal {

void Journal::add(Feed* feed) {
  CHECK(feed != nullptr);
  CHECK(std::ranges::none_of(feeds_, [feed](const Attached& each) { return each.feed == feed; }));
  feeds_.push_back({feed, last_});
}

void Journal::remove(Feed* feed) {
  std::erase_if(feeds_, [feed](const Attached& each) { return each.feed == feed; });
}

uint64_t Journal::append(const conf::DeliveryEvent& event) {
  ++last_;
  for (const Attached& each : feeds_) each.feed->take(last_, event);
  return last_;
}

uint64_t Journal::through() const {
  uint64_t least = last_;
  for (const Attached& each : feeds_) {
    if (each.feed->feed_class() != FeedClass::kGatesRemoval) continue;
    least = std::min(least, std::max(each.feed->through(), each.from));
  }
  return least;
}

}  // namespace relay::journal
