// Asks the loop about what is in the queue, for a short time in each question: the mail must not stop for
// long. Any thread but the loop's.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "conf/vocab/result.h"
#include "relay/admin/backend.h"
#include "relay/admin/loop_call.h"
#include "relay/admin/queue_filter.h"
#include "relay/spool/spool.h"

namespace relay::admin {

class QueueSearch {
 public:
  // All are borrowed.
  QueueSearch(spool::Spool* spool, Backend* backend, LoopCall* loop)
      : spool_(spool), backend_(backend), loop_(loop) {}

  // Asks about each of `items` and adds what it says to `*answers`: fewer when it fails. `about` runs on the
  // loop's thread.
  template <typename Answer, typename Item>
  conf::Status ask_in_turns(const std::vector<Item>& items,
                            const std::function<Answer(Backend*, const Item&)>& about,
                            std::vector<Answer>* answers);
  // Where the deliveries of these messages stand, in their order.
  conf::Result<std::vector<std::vector<DeliveryView>>> deliveries_of(const std::vector<conf::MessageId>& ids);
  // What match() needs for this filter.
  conf::Result<Lookups> lookups_for(const QueueFilter& filter, conf::WallTime now);

  struct Selection {
    std::vector<conf::MessageId> ids;
    uint64_t partly = 0;  // left alone: only some of their pending recipients are meant
  };
  conf::Result<Selection> select(const QueueFilter& filter, bool whole_messages);

 private:
  static constexpr std::chrono::milliseconds kTurn{2};
  conf::Status find_sites(const QueueFilter& filter, conf::WallTime now, Lookups* lookups);
  conf::Status find_reasons(const QueueFilter& filter, conf::WallTime now, Lookups* lookups);

  spool::Spool* spool_;
  Backend* backend_;
  LoopCall* loop_;
};

template <typename Answer, typename Item>
conf::Status QueueSearch::ask_in_turns(const std::vector<Item>& items,
                                       const std::function<Answer(Backend*, const Item&)>& about,
                                       std::vector<Answer>* answers) {
  const auto kept =
      std::make_shared<const std::vector<Item>>(items);  // the loop may ask later than is waited
  for (size_t begin = 0; begin < items.size();) {
    conf::Result<std::vector<Answer>> some =
        loop_->ask<std::vector<Answer>>([backend = backend_, kept, about, begin](auto done) {
          std::vector<Answer> told;
          const auto until = std::chrono::steady_clock::now() + kTurn;
          do {
            told.push_back(about(backend, (*kept)[begin + told.size()]));
          } while (begin + told.size() < kept->size() && std::chrono::steady_clock::now() < until);
          done(std::move(told));
        });
    if (!some.ok()) return some.error();
    begin += some->size();
    std::move(some->begin(), some->end(), std::back_inserter(*answers));
  }
  return conf::success();
}

}  // namespace relay::admin
