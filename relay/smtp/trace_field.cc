#include "relay/smtp/trace_field.h"

#include <fmt/format.h>

namespace relay::smtp {

namespace {
struct Civil {
  int64_t year;
  unsigned month, day, weekday;
};

// Days since 1970-01-01 into a date (H. Hinnant, "chrono-compatible low-level date algorithms").
Civil civil_from_days(int64_t days) {
  const int64_t z = days + 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const unsigned doe = static_cast<unsigned>(z - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  const unsigned month = mp < 10 ? mp + 3 : mp - 9;
  const int64_t year = static_cast<int64_t>(yoe) + era * 400 + (month <= 2 ? 1 : 0);
  const unsigned weekday = static_cast<unsigned>(((days % 7) + 11) % 7);  // 1970-01-01 was a Thursday (4)
  return {year, month, doy - (153 * mp + 2) / 5 + 1, weekday};
}
}  // namespace

std::string rfc5322_date(conf::WallTime time) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const int64_t micros = conf::unix_micros(time);
  const int64_t seconds = micros >= 0 ? micros / 1'000'000 : (micros - 999'999) / 1'000'000;
  const int64_t days = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400;
  const int64_t second_of_day = seconds - days * 86400;
  const Civil date = civil_from_days(days);
  return fmt::format("{}, {} {} {} {:02}:{:02}:{:02} +0000", kDays[date.weekday], date.day,
                     kMonths[date.month - 1], date.year, second_of_day / 3600, second_of_day / 60 % 60,
                     second_of_day % 60);
}

std::string protocol_name(bool esmtp, bool smtputf8, bool tls, bool authenticated) {
  std::string name = smtputf8 ? "UTF8SMTP" : esmtp ? "ESMTP" : "SMTP";
  if (tls && (esmtp || smtputf8)) name += 'S';
  if (authenticated) name += 'A';
  return name;
}

std::string received_field(const TraceFacts& facts, conf::MessageId id, conf::WallTime now) {
  const conf::Envelope& envelope = *facts.envelope;
  const bool v6 = envelope.client_address.find(':') != std::string::npos;
  const std::string protocol =
      protocol_name(facts.esmtp, envelope.smtputf8, facts.tls != nullptr, !envelope.authenticated_as.empty());
  std::string field =
      fmt::format("Received: from {} ([{}{}])\r\n\tby {} with {} id {}", envelope.client_name,
                  v6 ? "IPv6:" : "", envelope.client_address, facts.hostname, protocol, conf::to_text(id));
  if (facts.tls != nullptr) field += fmt::format("\r\n\t({} {})", facts.tls->version, facts.tls->cipher);
  if (envelope.recipients.size() == 1) {
    field += fmt::format("\r\n\tfor <{}>", envelope.recipients.front().mailbox.text());
  }
  return field + ";\r\n\t" + rfc5322_date(now) + "\r\n";
}

std::string missing_fields(const HeaderScan& header, bool add, const conf::Mailbox& reverse_path,
                           const std::string& hostname, conf::MessageId id, conf::WallTime now) {
  std::string out;
  if (add) {
    if (!header.has_date()) out += "Date: " + rfc5322_date(now) + "\r\n";
    if (!header.has_message_id()) out += "Message-ID: <" + conf::to_text(id) + "@" + hostname + ">\r\n";
    const std::string author = reverse_path.is_null() ? "MAILER-DAEMON@" + hostname : reverse_path.text();
    if (!header.has_from()) out += "From: <" + author + ">\r\n";
  }
  if (header.headless()) out += "\r\n";
  return out;
}

}  // namespace relay::smtp
