// How a sender decides what may go: the one under test and others beside it. Each is told what the receiver
// answers, and nothing else of it.
#pragma once

#include <cstdint>
#include <memory>

#include "conf/vocab/time.h"

namespace pace {

constexpr uint32_t kMostConnections = 20;     // what the rules allow
constexpr uint32_t kMostPerConnection = 100;  // messages

// One that is over; for a greeting: a connection.
struct Transaction {
  conf::Instant now{}, begun{};
  uint32_t before = 0;    // messages that were taken over its connection
  bool greeting = false;  // it was refused in place of one
};

class Control {
 public:
  virtual ~Control() = default;
  // Each: the first instant at which it may be; not later than now: at once. kNever: when a connection ends.
  virtual conf::Instant may_open(conf::Instant now) = 0;
  virtual conf::Instant may_send(conf::Instant now) = 0;
  // So many messages may go at once; no more connections are opened for them.
  virtual uint32_t budget(conf::Instant /*now*/) { return 1; }
  virtual bool is_done(uint32_t /*taken*/) { return false; }  // the connection should be closed
  virtual bool quits_when_refused() { return true; }          // 450 leaves the connection open

  virtual void opened(conf::Instant /*now*/) { ++connections_; }
  virtual void closed(uint32_t /*taken*/) { --connections_; }
  virtual void begins(conf::Instant now) = 0;
  virtual void taken(const Transaction& transaction) = 0;
  virtual void refused(const Transaction& transaction) = 0;

 protected:
  uint32_t connections_ = 0;
};

enum class Method : uint8_t { kPenstock, kAimd, kBbr, kStatic, kSuspending };
constexpr size_t kMethods = 5;
const char* to_text(Method method);
std::unique_ptr<Control> make(Method method);

}  // namespace pace
