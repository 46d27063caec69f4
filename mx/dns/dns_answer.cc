#include "mx/dns/dns_answer.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "conf/limits.h"
#include "conf/vocab/ascii.h"

namespace mx {

using namespace std::chrono_literals;  // NOLINT(build/namespaces)

namespace {

constexpr size_t kHeaderOctets = 12;
constexpr uint16_t kAuthoritative = 0x0400, kTruncated = 0x0200, kRecursive = 0x0080;  // AA, TC, RA
constexpr size_t kMaxPointers = 64;  // of one name: more is a loop
constexpr size_t kMaxRecords = 512;  // of one answer that are looked at
constexpr size_t kMostKept = 64;     // of them, more than a route has use for
constexpr size_t kNameOctets = 255;  // RFC 1035 §2.3.4
constexpr uint32_t kMaxTtl =
    604'800;  // RFC 8767 §4 recommends a cap of days; with the top bit set it is 0 (RFC 2181 §8)

// Reads from untrusted bytes; after the first failure everything reads as nothing.
class Reader {
 public:
  Reader(std::string_view all, size_t at) : all_(all), at_(at) {}
  bool good() const { return good_; }
  size_t at() const { return at_; }
  void fail() { good_ = false; }

  uint8_t u8() {
    if (!good_ || at_ >= all_.size()) {
      good_ = false;
      return 0;
    }
    return static_cast<uint8_t>(all_[at_++]);
  }
  uint16_t u16() {
    const uint16_t high = u8();
    return static_cast<uint16_t>(high << 8 | u8());
  }
  uint32_t u32() {
    const uint32_t high = u16();
    return high << 16 | u16();
  }
  std::string_view take(size_t count) {
    if (!good_ || all_.size() - at_ < count) {
      good_ = false;
      return {};
    }
    at_ += count;
    return all_.substr(at_ - count, count);
  }
  // A name with compression (RFC 1035 §4.1.4), lower case, without the last dot; the root is "". A dot or
  // other odd octet inside a label is written as '?', so that it can never make two names look the same.
  std::string name() {
    std::string out;
    size_t position = at_, pointers = 0;
    bool jumped = false;
    for (;;) {
      if (!good_ || position >= all_.size()) return failed();
      const auto length = static_cast<uint8_t>(all_[position]);
      if ((length & 0xc0) == 0xc0) {
        if (position + 1 >= all_.size() || ++pointers > kMaxPointers) return failed();
        const size_t target =
            static_cast<size_t>(length & 0x3f) << 8 | static_cast<uint8_t>(all_[position + 1]);
        if (!jumped) at_ = position + 2;
        jumped = true;
        position = target;
        continue;
      }
      if ((length & 0xc0) != 0) return failed();
      ++position;
      if (length == 0) break;
      if (position + length > all_.size() || out.size() + length + 1 > kNameOctets) return failed();
      if (!out.empty()) out += '.';
      for (const char c : all_.substr(position, length)) out += canonical(c);
      position += length;
    }
    if (!jumped) at_ = position;
    return out;
  }

 private:
  static char canonical(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
    return c > ' ' && c < 0x7f && c != '.' ? c : '?';
  }
  std::string failed() {
    good_ = false;
    return {};
  }
  std::string_view all_;
  size_t at_;
  bool good_ = true;
};

struct Record {
  std::string owner;
  RecordType type = RecordType::kA;
  uint32_t ttl = 0;
  size_t data_at = 0;
  uint16_t data_length = 0;
};

std::optional<Record> read_record(Reader* reader) {
  Record record;
  record.owner = reader->name();
  record.type = static_cast<RecordType>(reader->u16());
  const uint16_t klass = reader->u16();
  record.ttl = reader->u32();
  if (record.ttl > 0x7fffffff) record.ttl = 0;
  record.ttl = std::min(record.ttl, kMaxTtl);
  record.data_length = reader->u16();
  record.data_at = reader->at();
  reader->take(record.data_length);
  if (!reader->good()) return std::nullopt;
  if (klass != 1) record.type = static_cast<RecordType>(0);  // not IN: nobody asked for it
  return record;
}

DnsAnswer malformed(std::string_view name, const char* what) {
  DnsAnswer answer;
  answer.status = DnsStatus::kFailed;
  answer.canonical_name = name;
  answer.detail = std::string("malformed answer: ") + what;
  return answer;
}

bool take_data(std::string_view raw, const Record& record, DnsAnswer* answer) {
  Reader data(raw, record.data_at);
  const size_t end = record.data_at + record.data_length;
  char text[INET6_ADDRSTRLEN];
  switch (record.type) {
    case RecordType::kA:
      if (record.data_length != 4) return false;
      answer->addresses.emplace_back(inet_ntop(AF_INET, raw.data() + record.data_at, text, sizeof text));
      return true;
    case RecordType::kAaaa:
      if (record.data_length != 16) return false;
      answer->addresses.emplace_back(inet_ntop(AF_INET6, raw.data() + record.data_at, text, sizeof text));
      return true;
    case RecordType::kMx: {
      MxRecord mx;
      mx.preference = data.u16();
      mx.host = data.name();
      if (!data.good() || data.at() != end) return false;
      answer->mx.push_back(std::move(mx));
      return true;
    }
    case RecordType::kTxt: {
      std::string joined;
      while (data.good() && data.at() < end) joined += data.take(data.u8());
      if (!data.good() || data.at() != end) return false;
      answer->texts.push_back(std::move(joined));
      return true;
    }
    case RecordType::kCname:
    case RecordType::kSoa:
      break;
  }
  return true;
}

// An answer of many records, with names that compression made of a few octets, would fill the cache. The MX
// records kept are the same at every look-up: those that are taken first.
void keep_some(DnsAnswer* answer) {
  if (answer->mx.size() > kMostKept) {
    std::ranges::sort(answer->mx, {},
                      [](const MxRecord& each) { return std::pair(each.preference, each.host); });
    answer->mx.resize(kMostKept);
  }
  if (answer->addresses.size() > kMostKept) answer->addresses.resize(kMostKept);
  if (answer->texts.size() > kMostKept) answer->texts.resize(kMostKept);
}

// RFC 1035 §4.1.1, with what it mostly means.
std::string rcode_text(unsigned rcode) {
  switch (rcode) {
    case 1:
      return "FORMERR: it could not read the question";
    case 2:
      return "SERVFAIL: it could not find out; the name servers of the domain may be down";
    case 4:
      return "NOTIMP: it does not answer such questions";
    case 5:
      return "REFUSED: it looks nothing up for this machine; [dns] servers names others";
    default:
      return "error code " + std::to_string(rcode);
  }
}

// The TTL of a negative answer: the SOA's own, at most its MINIMUM (RFC 2308 §5). Without a SOA it is not
// kept.
conf::Duration negative_ttl(std::string_view raw, Reader* reader, unsigned authorities) {
  for (unsigned i = 0; i < std::min<unsigned>(authorities, kMaxRecords); ++i) {
    const std::optional<Record> record = read_record(reader);
    if (!record) return 0s;
    if (record->type != RecordType::kSoa) continue;
    Reader soa(raw, record->data_at);
    soa.name();
    soa.name();
    for (int skipped = 0; skipped < 4; ++skipped) soa.u32();  // serial, refresh, retry, expire
    const uint32_t minimum = soa.u32();
    if (!soa.good() || soa.at() != record->data_at + record->data_length) return 0s;
    return std::chrono::seconds(std::min({record->ttl, minimum, kMaxTtl}));
  }
  return 0s;
}

// Along the CNAMEs, in whatever order they came; `chain`: how many. False: they lead nowhere.
bool follow(std::string_view raw, const std::vector<Record>& records, std::string* name, size_t* chain,
            uint32_t* ttl) {
  for (bool moved = true; moved;) {
    moved = false;
    for (const Record& record : records) {
      if (record.type != RecordType::kCname || record.owner != *name) continue;
      Reader target(raw, record.data_at);
      std::string next = target.name();
      if (!target.good() || ++*chain > conf::limits::kCnameChain) return false;
      *name = std::move(next);
      *ttl = std::min(*ttl, record.ttl);
      moved = true;
      break;
    }
  }
  return true;
}

}  // namespace

DnsAnswer parse_dns_answer(std::string_view raw, std::string_view name, RecordType type,
                           std::string_view server) {
  if (raw.size() < kHeaderOctets) return malformed(name, "shorter than a header");
  Reader reader(raw, 2);
  const uint16_t flags = reader.u16();
  const unsigned questions = reader.u16(), answers = reader.u16(), authorities = reader.u16();
  reader.u16();
  if ((flags & 0x8000) == 0) return malformed(name, "it is a question");
  for (unsigned i = 0; i < questions; ++i) {
    reader.name();
    reader.u32();
    if (!reader.good()) return malformed(name, "the question is cut");
  }
  DnsAnswer answer;
  for (const char c : name) answer.canonical_name += conf::ascii_lower(c);
  if (!answer.canonical_name.empty() && answer.canonical_name.back() == '.') answer.canonical_name.pop_back();
  const unsigned rcode = flags & 0x0f;
  if (rcode != 0 && rcode != 3) {
    answer.status = DnsStatus::kFailed;
    answer.detail = "the name server " + (server.empty() ? "" : std::string(server) + ' ') + "answered " +
                    rcode_text(rcode);
    return answer;
  }
  // By UDP it was asked for again by TCP. What is missing may be what was asked for, also where some records
  // are there: of the mail exchangers perhaps the best ones (RFC 2181 §9).
  if ((flags & kTruncated) != 0) {
    answer.status = DnsStatus::kFailed;
    answer.detail =
        "the name server " + (server.empty() ? "" : std::string(server) + ' ') + "cut its answer, by TCP too";
    return answer;
  }
  std::vector<Record> records;
  for (unsigned i = 0; i < answers; ++i) {
    std::optional<Record> record = read_record(&reader);
    if (!record) return malformed(name, "a record is cut");
    if (records.size() < kMaxRecords) records.push_back(std::move(*record));
  }
  const bool any_of_name = std::ranges::any_of(
      records, [&](const Record& record) { return record.owner == answer.canonical_name; });
  uint32_t ttl = kMaxTtl;
  size_t chain = 0;
  if (type != RecordType::kCname && !follow(raw, records, &answer.canonical_name, &chain, &ttl))
    return malformed(name, "its CNAMEs lead nowhere");
  for (const Record& record : records) {
    if (record.type != type || record.owner != answer.canonical_name) continue;
    if (!take_data(raw, record, &answer)) return malformed(name, "the data of a record");
    ttl = std::min(ttl, record.ttl);
  }
  keep_some(&answer);
  if (!answer.mx.empty() || !answer.addresses.empty() || !answer.texts.empty()) {
    answer.status = DnsStatus::kOk;
    answer.ttl = std::chrono::seconds(ttl);
    return answer;
  }
  // "Nothing" counts from who knows the name (AA) or has asked for it (RA). A referral, and records of other
  // names alone, say nothing of it: the server is lame (RFC 1034 §4.3.1, RFC 1912 §2.8).
  const bool knows = (flags & (kAuthoritative | kRecursive)) != 0 || chain > 0;
  if (!knows || (!records.empty() && !any_of_name)) {
    answer.status = DnsStatus::kFailed;
    answer.detail = "the name server knows nothing of " + std::string(name) + " and asks nobody";
    return answer;
  }
  answer.status = rcode == 3 ? DnsStatus::kNoName : DnsStatus::kNoData;
  answer.ttl = std::min<conf::Duration>(negative_ttl(raw, &reader, authorities), std::chrono::seconds(ttl));
  return answer;
}

}  // namespace mx
