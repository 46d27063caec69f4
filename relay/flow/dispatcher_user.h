// What the Dispatcher asks of the walk and tells it. A delivery crosses in two calls: the dispatcher asks for
// its next errand, and answers with one report. Besides it asks when a delivery is over-age, and says which
// waits long and which path had better be left. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "conf/config.h"
#include "conf/vocab/time.h"
#include "relay/flow/path.h"
#include "relay/journal/attempt.h"
#include "relay/queue/delivery.h"
#include "relay/smtp/transaction.h"

namespace relay {

// One transaction, ready to be sent.
struct Errand {
  smtp::Transaction transaction;
  std::vector<uint32_t> recipients;  // which of the record they are, in the order of the transaction
};

// What the connection that asks for one can take.
struct ErrandTerms {
  size_t most_recipients = 1;
  bool seven_bit = false;  // octets above 127 have to be encoded
  bool no_utf8 = false;    // and those of fields in any case: SMTPUTF8 is not offered
};

// What became of an errand, or of the waiting for one.
struct Report {
  enum class Kind : uint8_t {
    kTransaction,  // a transaction is over: `recipients` and `outcomes` say how
    kReleased,     // back with the walk, in memory: nothing was begun since the last report
    kExpired,      // back, perhaps not in memory: it waited for its path until its validity was over
  };
  Kind kind = Kind::kReleased;
  std::vector<uint32_t> recipients;
  std::vector<smtp::RecipientOutcome> outcomes;  // with their meaning
  AttemptFacts facts;                            // not for kReleased
};

// What is so of all attempts on the path.
inline AttemptFacts facts_of_path(const queue::Path& path) {
  AttemptFacts facts;
  facts.settings = path.settings;
  facts.site = path.site->label;
  facts.source = path.source.name;
  if (path.rule != nullptr) facts.mx_rule = path.rule->name;
  return facts;
}

// Something is wrong with a server, not with a message.
struct ServerTrouble {
  bounce::Stage stage = bounce::Stage::kTls;
  std::string mx_host;
  std::string mx_address;  // "192.0.2.1:25"
  std::string text;        // for people
};

class DispatcherUser {
 public:
  virtual ~DispatcherUser() = default;

  // What a connection of `path` is to send next for the delivery, which is kLoading, or kSending when an
  // errand of it was done. kNow: `*errand` is it. kLater: `later` is called,
  // never within this call, with the errand, or with nothing as for kNone. kNone: there is nothing (no
  // recipient is due, the message cannot be read, or must not be sent as it is), and the delivery is back
  // with the walk. It is kSending when there is an errand.
  enum class Answer : uint8_t { kNow, kLater, kNone };
  using Later = std::function<void(std::optional<Errand>)>;
  virtual Answer next_errand(queue::Delivery* delivery, const queue::Path& path, const ErrandTerms& terms,
                             Errand* errand, Later later) = 0;
  // True, only for kTransaction: there is more of it to send, and the delivery stays with the dispatcher,
  // which asks next_errand() again or reports kReleased. Otherwise it is back with the walk.
  virtual bool report(queue::Delivery* delivery, Report report) = 0;
  // It has waited long for its path, which fails, and goes on waiting: to be said once.
  virtual void waits_long(queue::Delivery* delivery, const queue::PathError& error,
                          const AttemptFacts& facts) = 0;
  // Its source is left out for a time: what waits there may go from another one.
  virtual void reroute(queue::Path* path) = 0;
  // When the validity of the delivery, under these settings, is over.
  virtual conf::Instant expiry(const queue::Delivery& delivery,
                               const conf::DestinationSettings& settings) = 0;
};

}  // namespace relay
