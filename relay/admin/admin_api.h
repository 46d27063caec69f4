// The admin API as a function: request in, response out. Threads: any number of callers, none of them the
// loop's. Paths, parameters and answers are described in docs/operations.md.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "conf/vocab/time.h"
#include "relay/admin/backend.h"
#include "relay/admin/exchange.h"
#include "relay/admin/loop_call.h"
#include "relay/admin/mx_api.h"
#include "relay/admin/queue_filter.h"
#include "relay/spool/spool.h"

namespace relay::admin {

class AdminApi {
 public:
  // `spool` and `backend` outlive this, or close() is called before they go.
  AdminApi(spool::Spool* spool, Backend* backend, LoopCall::Post post);

  Response handle(const Request& request);
  // On the loop's thread: whoever waits for the loop is let go with 503, and the loop is asked nothing more.
  void close() { loop_.close(); }

 private:
  struct Selection {
    std::vector<conf::MessageId> ids;
    uint64_t partly = 0;  // left alone: only some of their pending recipients are meant
  };
  // Asks the loop about each of `items`, for a short time in a question, and adds what it says to `*answers`:
  // fewer when it fails. `about` runs on the loop's thread.
  template <typename Answer, typename Item>
  conf::Status ask_in_turns(const std::vector<Item>& items,
                            const std::function<Answer(Backend*, const Item&)>& about,
                            std::vector<Answer>* answers);
  conf::Result<QueueSummary> summary();
  conf::Result<SiteLookup> sites_for(const QueueFilter& filter, conf::WallTime now);
  conf::Result<Selection> select(const QueueFilter& filter, bool whole_messages);
  // Leaves in `*ids` those that are queued; the others.
  conf::Result<std::vector<conf::MessageId>> take_unknown(std::vector<conf::MessageId>* ids);
  conf::Result<uint64_t> apply(QueueAction action, const std::vector<conf::MessageId>& ids,
                               const std::string& who);

  // Of these the ones that an order on their stream keeps back, with that order, into `*out`.
  conf::Status tell_paused(const std::vector<conf::MessageId>& ids, nlohmann::json* out);
  conf::Result<std::vector<std::vector<DeliveryView>>> deliveries_of(const std::vector<conf::MessageId>& ids);

  Response reload();
  Response get(const Request& request);
  Response told(const Request& request, const QueueSummary& summary);
  Response list(const Request& request);
  Response texts();  // the last refusals of what is queued, and of how many messages each is
  conf::Result<spool::LoadedMessage> load(const std::string& id_text, bool with_body);
  Response show(const std::string& id_text);
  Response content(const std::string& id_text);
  Response act(QueueAction action, const Request& request);

  spool::Spool* spool_;
  Backend* backend_;
  LoopCall loop_;
  MxApi mx_;
};

}  // namespace relay::admin
