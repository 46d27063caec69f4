// What is not a record of ours is kCorrupt, never harm; what is one comes back the same. The checksum would
// hide the decoder from the fuzzer, so it is set right first.
#include <cstdint>
#include <string>
#include <string_view>

#include "conf/vocab/check.h"
#include "relay/spool/crc32c.h"
#include "relay/spool/record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace relay::spool;
  std::string stored(reinterpret_cast<const char*>(data), size);
  (void)decode_record(stored).ok();
  (void)decode_body(7, stored).ok();
  (void)parse_id_key(stored);
  if (stored.size() < kRecordHeaderSize) return 0;
  MessageRecord sample;
  sample.id = 7;
  const std::string good = encode_record(sample);
  stored[0] = good[0];
  stored[1] = good[1];
  const uint32_t crc = crc32c(std::string_view(stored).substr(kRecordHeaderSize));
  for (int i = 0; i < 4; ++i) stored[static_cast<size_t>(2 + i)] = static_cast<char>(crc >> (8 * i));
  const conf::Result<MessageRecord> record = decode_record(stored);
  if (!record.ok()) {
    CHECK(record.error().code == conf::ErrorCode::kCorrupt);
    return 0;
  }
  const conf::Result<MessageRecord> again = decode_record(encode_record(record.value()));
  CHECK(again.ok() && again.value().recipients.size() == record.value().recipients.size());
  CHECK(again.value().id == record.value().id);
  return 0;
}
