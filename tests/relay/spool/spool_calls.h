// The calls of a spool, waited for: what a test wants of an asynchronous interface.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "relay/spool/memory_spool.h"
#include "relay/spool/spool.h"

namespace relay::spool {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

inline void wait(Spool* spool, const std::function<bool()>& done) {
  const auto limit = std::chrono::steady_clock::now() + 20s;
  while (!done()) {
    ASSERT_LT(std::chrono::steady_clock::now(), limit);
    if (auto* memory = dynamic_cast<MemorySpool*>(spool)) memory->run_batch();
    if (spool->drain_completions() == 0) std::this_thread::sleep_for(1ms);
  }
}

inline conf::Result<conf::MessageId> store(Spool* spool, const MessageRecord& record,
                                           const std::string& body) {
  conf::Result<conf::MessageId> result = conf::Error{conf::ErrorCode::kTimeout, "no answer"};
  bool done = false;
  spool->store(record, conf::Bytes(body), [&](conf::Result<Receipt> stored) {
    result = stored.ok() ? conf::Result<conf::MessageId>(stored.value().id()) : stored.error();
    done = true;
  });
  wait(spool, [&done] { return done; });
  return result;
}

// With one recipient.
inline conf::Result<conf::MessageId> store_small(Spool* spool, conf::MessageId id, const std::string& body) {
  MessageRecord record;
  record.id = id;
  record.recipients.resize(1);
  return store(spool, record, body);
}

inline conf::Result<LoadedMessage> load(Spool* spool, conf::MessageId id, bool with_body = true) {
  conf::Result<LoadedMessage> result = conf::Error{conf::ErrorCode::kTimeout, "no answer"};
  bool done = false;
  spool->load(id, with_body, [&](conf::Result<LoadedMessage> loaded) {
    result = std::move(loaded);
    done = true;
  });
  wait(spool, [&done] { return done; });
  return result;
}

}  // namespace relay::spool
