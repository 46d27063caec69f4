#include "relay/log/event_json.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "bounce/text_template.h"
#include "relay/journal/events.h"

namespace relay::log {
namespace {

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
  append_count("of_user", door.of_user, out);
  append_text("detail", door.detail, out);
  append_count("of_detail", door.of_detail, out);
  append_count("count", door.count, out);
  out->push_back('}');
}

// The rest of the line of an order on the queue.
void append_order(const conf::QueueOrder& order, std::string* out) {
  append_text("action", to_text(order.action), out);
  append_text("by", order.by, out);
  append_count("messages", order.messages, out);
  append_count("not_done", order.not_done, out);
  append_text("what", order.what, out);
  append_text("detail", order.detail, out);
  out->push_back('}');
}

// The rest of the line of a decision.
void append_decision(const conf::SiteDecision& decision, std::string* out) {
  append_text("action", to_text(decision.action), out);
  append_text("site", decision.site, out);
  append_text("source", decision.source, out);
  append_text("mx_rule", decision.rule, out);
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
  append_count("rate_per_day", decision.rate_per_day, out);
  append_samples(decision.samples, out);
  append_text("text", decision.text, out);
  out->push_back('}');
}

// Else of a site, of an address, of a recipient who was refused before there was a message, or of a mail that
// came back and names no message of ours.
bool is_about_mail(const conf::DeliveryEvent& event) {
  return event.kind != conf::EventKind::kAddress && event.kind != conf::EventKind::kWave &&
         event.kind != conf::EventKind::kTrouble &&
         ((event.kind != conf::EventKind::kSuppressed && event.kind != conf::EventKind::kUnmatched) ||
          event.id != 0);
}

// By which an application knows the message.
void append_header(const conf::DeliveryEvent& event, std::string* out) {
  append_text("envid", event.envid, out);
  if (event.header == nullptr) return;
  append_text("message_id", event.header->message_id, out);
  if (event.header->fields.empty()) return;
  append_key("header", out);
  char before = '{';
  for (const auto& [name, value] : event.header->fields) {
    out->push_back(before);
    append_json_string(name, out);
    out->push_back(':');
    append_json_string(value, out);
    before = ',';
  }
  out->push_back('}');
}

// The status stands in a field of its own.
std::string_view without_status(const conf::DeliveryEvent& event) {
  const std::string_view reply = event.reply;
  const std::string& status = event.enhanced_status;
  if (status.empty() || reply.size() <= status.size() || reply[status.size()] != ' ') return reply;
  return reply.substr(0, status.size()) == status ? reply.substr(status.size() + 1) : reply;
}

void append_notice(const conf::AddressNotice& notice, std::string* out) {
  if (notice.status != conf::AddressStatus::kUnknown) append_text("status", to_text(notice.status), out);
  append_text("list", notice.list, out);
  append_text("suppression", to_text(notice.suppression), out);
  append_count("wave", notice.wave, out);
  append_count("refusals", notice.refusals, out);
}

// The rest of the line of what has fields of its own. False: it has those of a message.
bool append_of_no_mail(const conf::DeliveryEvent& event, std::string* out) {
  if (event.kind == conf::EventKind::kDecision && event.decision != nullptr) {
    append_text("stream", event.stream, out);  // of an order about one
    append_decision(*event.decision, out);
    return true;
  }
  if (event.kind == conf::EventKind::kRefusedClient && event.door != nullptr) {
    append_door(*event.door, out);
    return true;
  }
  if (event.kind == conf::EventKind::kQueueOrder && event.order != nullptr) {
    append_order(*event.order, out);
    return true;
  }
  return false;
}

}  // namespace

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
    case conf::EventKind::kSuppressed:
      return "suppressed";
    case conf::EventKind::kAddress:
      return "address";
    case conf::EventKind::kWave:
      return "wave";
    case conf::EventKind::kQueueOrder:
      return "queue_order";
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
    case conf::Bind::kMemory:
      return "memory";
  }
  return "unknown";
}

std::string_view matched_name(conf::MatchedBy by) {
  switch (by) {
    case conf::MatchedBy::kNothing:
      return "";
    case conf::MatchedBy::kToken:
      return "token";
    case conf::MatchedBy::kMessageId:
      return "message-id";
    case conf::MatchedBy::kRecipient:
      return "recipient";
  }
  return "unknown";
}

void append_json(const conf::DeliveryEvent& event, std::string* out) {
  out->append("{\"time\":");
  append_json_time(event.time, out);
  out->append(",\"event\":\"");
  // What was not tried is no refusal: readers that count those want it apart.
  out->append(journal::is_held_back(event) ? "held_back" : kind_text(event.kind));
  out->push_back('"');
  if (append_of_no_mail(event, out)) return;
  if (is_about_mail(event)) {
    append_key("id", out);
    append_id(event.id, out);
    append_header(event, out);
  }
  if (is_about_mail(event) || event.kind == conf::EventKind::kSuppressed) {
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
  append_text("stream", event.stream, out);
  append_text("tls", event.tls, out);
  append_count("reply_code", event.reply_code, out);
  append_text("enhanced_status", event.enhanced_status, out);
  append_text("reply", without_status(event), out);
  if (event.type) append_text("type", to_text(*event.type), out);
  if (event.reason) append_text("reason", to_text(*event.reason), out);
  if (event.scope) append_text("scope", to_text(*event.scope), out);
  if (event.row != 0) append_text("row", bounce::row_text(event.row), out);
  append_text("class_rule", event.rule, out);
  append_text("mx_rule", event.mx_rule, out);
  append_text("rule", event.rule.empty() && journal::is_held_back(event) ? event.mx_rule : event.rule, out);
  append_text("limit", limit_name(event.limit), out);
  append_text("stage", to_text(event.stage), out);
  if (event.notice != nullptr) append_notice(*event.notice, out);
  append_count("attempt", event.attempt, out);
  // There is none of what waits on hold.
  if (event.kind == conf::EventKind::kDeferred && event.next_attempt != conf::WallTime()) {
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
  append_text("matched", matched_name(event.matched), out);
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
