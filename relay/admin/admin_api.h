// The admin API as a function: request in, response out. Threads: any number of callers, none of them the
// loop's. Paths, parameters and answers are described in docs/operations.md.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "conf/vocab/time.h"
#include "relay/admin/backend.h"
#include "relay/admin/exchange.h"
#include "relay/admin/loop_call.h"
#include "relay/admin/mx_api.h"
#include "relay/admin/order.h"
#include "relay/admin/queue_search.h"
#include "relay/spool/spool.h"

namespace relay::admin {

class AdminApi {
 public:
  // `spool` and `backend` outlive this, or close() is called before they go.
  AdminApi(spool::Spool* spool, Backend* backend, LoopCall::Post post,
           std::chrono::milliseconds limit = LoopCall::kLimit);

  Response handle(const Request& request);
  // On the loop's thread: whoever waits for the loop is let go with 503, and the loop is asked nothing more.
  void close() { loop_.close(); }

 private:
  conf::Result<QueueSummary> summary();
  // Leaves in `*ids` those that are queued; the others.
  conf::Result<std::vector<conf::MessageId>> take_unknown(std::vector<conf::MessageId>* ids);
  struct Carried {  // of an order; on the loop's thread
    uint64_t asked = 0, reached = 0;
  };
  // `order` has no counts yet.
  conf::Result<uint64_t> apply(const conf::QueueOrder& order, const std::vector<conf::MessageId>& ids);

  // Of these the ones that an order on their stream keeps back, with that order, into `*out`.
  conf::Status tell_paused(const std::vector<conf::MessageId>& ids, nlohmann::json* out);

  Response reload();
  Response get(const Request& request);
  Response told(const Request& request, const QueueSummary& summary);
  Response list(const Request& request);
  Response texts();  // the last refusals of what is queued, and of how many messages each is
  conf::Result<spool::LoadedMessage> load(const std::string& id_text, bool with_body);
  Response show(const std::string& id_text);
  Response content(const std::string& id_text);
  // An event says who ordered what for how many, and for how many it was not done (`detail` says why).
  void tell(conf::QueueOrder order, uint64_t meant, std::shared_ptr<const Carried> carried);
  Response act(QueueAction action, const Request& request);

  spool::Spool* spool_;
  Backend* backend_;
  LoopCall loop_;
  QueueSearch search_;
  MxApi mx_;
};

}  // namespace relay::admin
