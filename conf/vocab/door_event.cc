#include "conf/vocab/door_event.h"

namespace conf {

const char* to_text(DoorReason reason) {
  static constexpr const char* kTexts[kDoorReasons] = {
      "wrong_password",     "too_many_logins", "logins_busy",         "relaying_denied",
      "tls_failed",         "tls_wanted",      "bare_newline",        "message_refused",
      "lost_connection",    "timed_out",       "replies_unread",      "too_many_connections",
      "too_many_of_client", "too_many_errors", "too_many_recipients", "short_of_memory",
      "not_accepting",      "other_protocol",  "sender_denied",       "too_many_messages",
      "login_wanted"};
  return kTexts[static_cast<size_t>(reason)];
}

std::string door_line(const DoorEvent& event) {
  std::string line = "refused client=" + (event.client.empty() ? std::string("many") : event.client) +
                     " listener=" + event.listener + " reason=" + to_text(event.reason);
  if (!event.user.empty()) line += " user=" + event.user;
  if (event.of_user != 0) line += " of_user=" + std::to_string(event.of_user);
  if (!event.detail.empty()) line += " detail=" + event.detail;
  if (event.of_detail != 0) line += " of_detail=" + std::to_string(event.of_detail);
  return line + " count=" + std::to_string(event.count);
}

}  // namespace conf
