// Any bytes give an answer within bounds.
#include <cstdint>
#include <string_view>

#include "conf/vocab/check.h"
#include "mx/dns/dns_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static constexpr mx::RecordType kTypes[] = {mx::RecordType::kA,   mx::RecordType::kCname,
                                              mx::RecordType::kSoa, mx::RecordType::kMx,
                                              mx::RecordType::kTxt, mx::RecordType::kAaaa};
  const mx::RecordType type = kTypes[data[0] % 6];
  const std::string_view raw(reinterpret_cast<const char*>(data) + 1, size - 1);
  const mx::DnsAnswer answer = mx::parse_dns_answer(raw, "example.com", type);
  CHECK(answer.ttl.count() >= 0);
  CHECK(answer.mx.size() <= 512 && answer.addresses.size() <= 512 && answer.texts.size() <= 512);
  CHECK(answer.canonical_name.size() <= 255);
  const bool found = !answer.mx.empty() || !answer.addresses.empty() || !answer.texts.empty();
  CHECK(answer.status != mx::DnsStatus::kOk || found);
  for (const mx::MxRecord& record : answer.mx) {
    CHECK(record.host.size() <= 255);
    for (const char c : record.host) CHECK(c > ' ' && c < 0x7f);
  }
  return 0;
}
