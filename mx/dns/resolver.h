// Questions to the name system, as the router asks them. Implemented by DnsCache over a DnsTransport.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conf/vocab/time.h"

namespace mx {

enum class RecordType : uint16_t { kA = 1, kCname = 5, kSoa = 6, kMx = 15, kTxt = 16, kAaaa = 28 };

enum class DnsStatus : uint8_t {
  kOk,       // records of the asked type are there
  kNoData,   // the name exists, no record of the type
  kNoName,   // NXDOMAIN
  kFailed,   // SERVFAIL, REFUSED, garbage: temporary
  kTimeout,  // no answer: temporary
};

struct MxRecord {
  uint16_t preference = 0;
  std::string host;  // lower case, no trailing dot; "" is the root (null MX, RFC 7505)
};

struct DnsAnswer {
  DnsStatus status = DnsStatus::kFailed;
  std::string canonical_name;          // after CNAMEs; the asked name when there was none
  std::vector<MxRecord> mx;            // kMx
  std::vector<std::string> addresses;  // kA, kAaaa: textual
  std::vector<std::string> texts;      // kTxt: strings of one record joined
  conf::Duration ttl{
      0};  // the least of the chain; for negative answers min(SOA TTL, SOA MINIMUM) (RFC 2308 §5)
  std::string detail;  // for people: "SERVFAIL from 127.0.0.1"
};
using DnsAnswerPtr = std::shared_ptr<const DnsAnswer>;

class Resolver {
 public:
  virtual ~Resolver() = default;
  using Done = std::function<void(DnsAnswerPtr)>;
  // `done` runs on the loop's thread, at once when the answer is cached, else later; exactly once.
  virtual void query(std::string_view name, RecordType type, Done done) = 0;
};

// Carries one question to a name server and brings the raw answer (RFC 1035 §4). c-ares in the daemon.
class DnsTransport {
 public:
  virtual ~DnsTransport() = default;
  // `raw` is valid during the call. status kOk: a response arrived (whatever its RCODE), and `detail` names
  // the server that gave it ("": not known); else kTimeout or kFailed, and `detail` says why.
  using Done = std::function<void(DnsStatus status, std::string_view raw, std::string_view detail)>;
  virtual void ask(const std::string& name, RecordType type, Done done) = 0;  // done runs later, never inside
};

}  // namespace mx
