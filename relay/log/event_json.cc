#include "relay/log/event_json.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "bounce/text_template.h"
#include "relay/log/delivery_log.h"

namespace relay::log {
namespace {

enum ByteClass : uint8_t { kPlain, kEscape, kMultiByte };

constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> classes{};
  for (size_t byte = 0; byte < 256; ++byte) {
    if (byte >= 0x80) {
      classes[byte] = kMultiByte;
    } else if (byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\') {
      classes[byte] = kEscape;
    }
  }
  return classes;
}
constexpr std::array<uint8_t, 256> kClasses = make_classes();

void append_unicode_escape(uint32_t code_point, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  const char text[6] = {'\\',
                        'u',
                        kHex[(code_point >> 12) & 15],
                        kHex[(code_point >> 8) & 15],
                        kHex[(code_point >> 4) & 15],
                        kHex[code_point & 15]};
  out->append(text, sizeof text);
}

void append_escape(unsigned char byte, std::string* out) {
  switch (byte) {
    case '"':
      out->append("\\\"", 2);
      return;
    case '\\':
      out->append("\\\\", 2);
      return;
    case '\n':
      out->append("\\n", 2);
      return;
    case '\r':
      out->append("\\r", 2);
      return;
    case '\t':
      out->append("\\t", 2);
      return;
    default:
      append_unicode_escape(byte, out);
  }
}

// The length of the well-formed sequence at the front (RFC 3629 §4), 0 when there is none.
size_t sequence_length(std::string_view text, uint32_t* code_point) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const uint32_t lead = byte(0);
  if (lead >= 0xc2 && lead <= 0xdf && continues(1)) {
    *code_point = (lead & 0x1f) << 6 | (byte(1) & 0x3f);
    return 2;
  }
  if (lead >= 0xe0 && lead <= 0xef && continues(1) && continues(2)) {
    *code_point = (lead & 0x0f) << 12 | (byte(1) & 0x3fu) << 6 | (byte(2) & 0x3f);
    const bool surrogate = *code_point >= 0xd800 && *code_point <= 0xdfff;
    return *code_point >= 0x800 && !surrogate ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4 && continues(1) && continues(2) && continues(3)) {
    *code_point = (lead & 0x07) << 18 | (byte(1) & 0x3fu) << 12 | (byte(2) & 0x3fu) << 6 | (byte(3) & 0x3f);
    return *code_point >= 0x10000 && *code_point <= 0x10ffff ? 4 : 0;
  }
  return 0;
}

// Characters that a terminal or an editor would obey instead of show.
bool must_hide(uint32_t code_point) {
  return (code_point >= 0x80 && code_point <= 0x9f) ||      // C1 controls: U+009B is CSI
         (code_point >= 0x2028 && code_point <= 0x202e) ||  // line separators, bidirectional overrides
         (code_point >= 0x2066 && code_point <= 0x2069);    // bidirectional isolates
}

void append_key(std::string_view key, std::string* out) {
  out->append(",\"", 2);
  out->append(key);
  out->append("\":", 2);
}

void append_text(std::string_view key, std::string_view text, std::string* out) {
  if (text.empty()) return;
  append_key(key, out);
  append_json_string(text, out);
}

void append_count(std::string_view key, uint64_t value, std::string* out) {
  if (value == 0) return;
  append_key(key, out);
  append_json_number(value, out);
}

void append_delay(std::string_view key, conf::Duration delay, std::string* out) {
  if (delay.count() < 0) return;
  append_key(key, out);
  append_json_number(static_cast<uint64_t>(delay.count()), out);
}

void append_id(conf::MessageId id, std::string* out) {
  out->push_back('"');
  out->append(conf::to_text(id));
  out->push_back('"');
}

// Four decimals; what is no share is written as the nearest one.
void append_share(std::string_view key, double share, std::string* out) {
  const double bounded = share > 0 ? std::min(share, 1.0) : 0;  // NaN is not above 0
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, bounded, std::chars_format::fixed, 4);
  append_key(key, out);
  out->append(digits, end.ptr);
}

void append_samples(const std::vector<std::string>& samples, std::string* out) {
  if (samples.empty()) return;
  append_key("samples", out);
  out->push_back('[');
  for (const std::string& sample : samples) {
    if (&sample != &samples.front()) out->push_back(',');
    append_json_string(sample, out);
  }
  out->push_back(']');
}

// The rest of the line of a client that was refused.
void append_door(const conf::DoorEvent& door, std::string* out) {
  append_text("reason", conf::to_text(door.reason), out);
  append_text("client", door.client, out);
  append_text("listener", door.listener, out);
  append_text("user", door.user, out);
  append_text("detail", door.detail, out);
  append_count("count", door.count, out);
  out->push_back('}');
}

// The rest of the line of a decision.
void append_decision(const conf::SiteDecision& decision, std::string* out) {
  append_text("action", to_text(decision.action), out);
  append_text("site", decision.site, out);
  append_text("source", decision.source, out);
  append_text("rule", decision.rule, out);
  append_text("where", decision.where, out);
  append_text("by", decision.by, out);
  if (decision.messages != 0) {
    append_count("messages", decision.messages, out);
    append_key("errors", out);
    append_json_number(decision.errors, out);
    append_share("share", decision.share, out);
  }
  if (decision.until != conf::WallTime{}) {
    append_key("until", out);
    append_json_time(decision.until, out);
  }
  append_count("rate_per_hour", decision.rate_per_hour, out);
  append_samples(decision.samples, out);
  append_text("text", decision.text, out);
  out->push_back('}');
}

void put_digits(char* place, int width, uint32_t value) {
  for (int i = width - 1; i >= 0; --i, value /= 10) place[i] = static_cast<char>('0' + value % 10);
}

}  // namespace

void append_json_string(std::string_view text, std::string* out) {
  out->push_back('"');
  size_t begin = 0;
  size_t i = 0;
  while (i < text.size()) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (kClasses[byte] == kPlain) {
      ++i;
      continue;
    }
    uint32_t code_point = 0xfffd;
    size_t length = 1;
    if (kClasses[byte] == kMultiByte) {
      const size_t valid = sequence_length(text.substr(i, 4), &code_point);
      if (valid != 0 && !must_hide(code_point)) {
        i += valid;
        continue;
      }
      if (valid == 0) code_point = 0xfffd;
      length = std::max<size_t>(valid, 1);
    }
    out->append(text, begin, i - begin);
    if (kClasses[byte] == kMultiByte) {
      append_unicode_escape(code_point, out);
    } else {
      append_escape(byte, out);
    }
    i += length;
    begin = i;
  }
  out->append(text, begin, text.size() - begin);
  out->push_back('"');
}

void append_json_time(conf::WallTime time, std::string* out) {
  constexpr int64_t kFirst = -62'167'219'200'000'000;  // 0000-01-01T00:00:00Z
  constexpr int64_t kLast = 253'402'300'799'999'999;   // 9999-12-31T23:59:59.999999Z
  const int64_t micros = std::clamp(conf::unix_micros(time), kFirst, kLast) - kFirst;
  const int64_t days = micros / 86'400'000'000;
  const auto rest = static_cast<uint64_t>(micros % 86'400'000'000);
  const auto seconds = static_cast<uint32_t>(rest / 1'000'000);
  // Days since 0000-01-01 to a civil date, with the year beginning in March (H. Hinnant, "chrono-Compatible
  // Low-Level Date Algorithms"); one era of 400 years is added so that nothing is negative.
  const int64_t shifted = days - 60 + 146'097;
  const int64_t era = shifted / 146'097;
  const int64_t day_of_era = shifted % 146'097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const int64_t year = year_of_era + era * 400 - 400 + (month <= 2 ? 1 : 0);

  char text[] = "\"0000-00-00T00:00:00.000000Z\"";
  put_digits(text + 1, 4, static_cast<uint32_t>(year));
  put_digits(text + 6, 2, static_cast<uint32_t>(month));
  put_digits(text + 9, 2, static_cast<uint32_t>(day));
  put_digits(text + 12, 2, seconds / 3600);
  put_digits(text + 15, 2, seconds / 60 % 60);
  put_digits(text + 18, 2, seconds % 60);
  put_digits(text + 21, 6, static_cast<uint32_t>(rest % 1'000'000));
  out->append(text, sizeof text - 1);
}

void append_json_number(uint64_t value, std::string* out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out->append(digits, end.ptr);
}

std::string_view kind_text(conf::EventKind kind) {
  switch (kind) {
    case conf::EventKind::kAccepted:
      return "accepted";
    case conf::EventKind::kDeferred:
      return "deferred";
    case conf::EventKind::kDelivered:
      return "delivered";
    case conf::EventKind::kFailed:
      return "failed";
    case conf::EventKind::kExpired:
      return "expired";
    case conf::EventKind::kReportSent:
      return "report_sent";
    case conf::EventKind::kDropped:
      return "dropped";
    case conf::EventKind::kUnsigned:
      return "unsigned";
    case conf::EventKind::kAlarm:
      return "alarm";
    case conf::EventKind::kDecision:
      return "decision";
    case conf::EventKind::kRefusedClient:
      return "refused_client";
    case conf::EventKind::kBounced:
      return "bounced";
    case conf::EventKind::kComplained:
      return "complained";
    case conf::EventKind::kAutoReply:
      return "autoreply";
    case conf::EventKind::kDelayedReport:
      return "delayed_report";
    case conf::EventKind::kDeliveredReport:
      return "delivered_report";
    case conf::EventKind::kUnmatched:
      return "unmatched";
    case conf::EventKind::kTrouble:
      return "trouble";
  }
  return "unknown";
}

std::string_view limit_name(conf::Bind limit) {
  switch (limit) {
    case conf::Bind::kNothing:
      return "";
    case conf::Bind::kBlocked:
      return "blocked";
    case conf::Bind::kProbing:
      return "probing";
    case conf::Bind::kRamp:
      return "ramp";
    case conf::Bind::kSlowed:
      return "slowed";
    case conf::Bind::kBackOff:
      return "back_off";
    case conf::Bind::kQuota:
      return "messages_per_hour";
    case conf::Bind::kRate:
      return "rate";
    case conf::Bind::kAdaptive:
      return "adaptive";
    case conf::Bind::kWarmUp:
      return "warmup";
    case conf::Bind::kConnections:
      return "max_connections";
    case conf::Bind::kWindow:
      return "window";
    case conf::Bind::kPerConnection:
      return "max_messages_per_connection";
    case conf::Bind::kTotal:
      return "max_outbound_connections";
    case conf::Bind::kLease:
      return "lease";
    case conf::Bind::kRecording:
      return "recording";
  }
  return "unknown";
}

void append_json(const conf::DeliveryEvent& event, std::string* out) {
  out->append("{\"time\":");
  append_json_time(event.time, out);
  out->append(",\"event\":\"");
  out->append(kind_text(event.kind));
  out->push_back('"');
  if (event.kind == conf::EventKind::kDecision && event.decision != nullptr) {
    append_decision(*event.decision, out);
    return;
  }
  if (event.kind == conf::EventKind::kRefusedClient && event.door != nullptr) {
    append_door(*event.door, out);
    return;
  }
  if (event.kind != conf::EventKind::kTrouble) {
    append_key("id", out);
    append_id(event.id, out);
    append_key("reverse_path", out);  // always there: empty is the null reverse-path
    append_json_string(event.reverse_path, out);
  }
  append_text("recipient", event.recipient, out);
  append_count("recipients", event.recipients, out);
  append_count("size_bytes", event.size_bytes, out);
  append_text("site", event.site, out);
  append_text("mx_host", event.mx_host, out);
  append_text("mx_address", event.mx_address, out);
  append_text("source", event.source, out);
  append_text("tls", event.tls, out);
  append_count("reply_code", event.reply_code, out);
  append_text("enhanced_status", event.enhanced_status, out);
  append_text("reply", event.reply, out);
  if (event.type) append_text("type", to_text(*event.type), out);
  if (event.reason) append_text("reason", to_text(*event.reason), out);
  if (event.scope) append_text("scope", to_text(*event.scope), out);
  if (event.row != 0) append_text("row", bounce::row_text(event.row), out);
  append_text("rule", event.rule.empty() ? event.mx_rule : event.rule, out);
  append_text("limit", limit_name(event.limit), out);
  append_text("stage", to_text(event.stage), out);
  append_count("attempt", event.attempt, out);
  if (event.kind == conf::EventKind::kDeferred) {
    append_key("next_attempt", out);
    append_json_time(event.next_attempt, out);
  }
  if (event.uncertain) out->append(",\"uncertain\":true");
  append_delay("queue_us", event.delays.queue, out);
  append_delay("dns_us", event.delays.dns, out);
  append_delay("connect_us", event.delays.connect, out);
  append_delay("transaction_us", event.delays.transaction, out);
  append_text("client", event.client, out);
  append_text("listener", event.listener, out);
  append_text("auth", event.auth, out);
  if (event.confirmed) out->append(",\"confirmed\":true");
  append_text("file", event.file, out);
  if (event.related != 0) {
    append_key("related", out);
    append_id(event.related, out);
  }
  out->push_back('}');
}

std::string to_json(const conf::DeliveryEvent& event) {
  std::string line;
  append_json(event, &line);
  return line;
}

}  // namespace relay::log
