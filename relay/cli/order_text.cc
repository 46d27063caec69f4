// What an order about limits came to, and one about messages that such an order keeps back.
#include <nlohmann/json.hpp>
#include <string>

#include "relay/cli/json_reader.h"
#include "relay/cli/mx_text.h"
#include "relay/cli/queue_view.h"
#include "relay/cli/waiting_text.h"

namespace relay::cli {

using nlohmann::json;

namespace {

std::string shown(const json& name) {
  return printable(name.is_string() ? name.get<std::string>() : name.dump());
}

void names_text(const json& names, int64_t count, std::string* out) {
  for (const json& name : names) *out += wrapped("  ", shown(name));
  if (names.is_array() && count > static_cast<int64_t>(names.size()))
    line(out, "  and {} more", count - static_cast<int64_t>(names.size()));
}

std::string stream_done_text(const std::string& action, const json& done) {
  std::string names, out;
  for (const json& name : member(done, "streams")) names += (names.empty() ? "" : ", ") + shown(name);
  out += wrapped("", action + ": stream " + names + ", " + counted(number_of(done, "messages"), "message") +
                         " in the queue.");
  if (is_true(done, "also_later"))
    line(&out, "The order holds for its mail that is yet to come, too, wherever it goes.");
  if (is_true(done, "lifted")) line(&out, "The order ends: what waited for its end goes on.");
  const int64_t held = number_of(done, "held");
  if (held != 0)
    line(&out, "{} held by another order still; penstock mx status begins with the orders.",
         counted(held, "stream") + (held == 1 ? " is" : " are"));
  return out;
}

}  // namespace

std::string mx_done_text(const std::string& action, const json& done) {
  if (member(done, "streams").is_array()) return stream_done_text(action, done);
  std::string out;
  const int64_t count = number_of(done, "paths");
  line(&out, "{}: {}.", action, counted(count, "path"));
  names_text(member(done, "names"), count, &out);
  if (const int64_t superseded = number_of(done, "superseded"); superseded != 0)
    line(&out, "And {} of a rule that decides there no more.", counted(superseded, "path"));
  const int64_t together = number_of(done, "together");
  if (together != 0) {
    out += wrapped(
        "", counted(together, "path") + (together == 1 ? " was" : " were") +
                " not named and changed too: the rule counts them together with one that was "
                "(scope = \"pool\" or one_site), and what the replies brought against one holds for all:");
    names_text(member(done, "names_together"), together, &out);
  }
  if (is_true(done, "also_later")) line(&out, "The order holds for paths that are yet to come, too.");
  if (is_true(done, "lifted")) line(&out, "The order with this target ends, for paths yet to come too.");
  if (const std::string notice = text_of(done, "notice"); !notice.empty())
    out += wrapped("", printable(notice));
  const int64_t automatic = number_of(done, "automatic");
  if (automatic != 0)
    out += wrapped("", counted(automatic, "path") + (automatic == 1 ? " is" : " are") +
                           " held back by what the receiver replied and by no order; --automatic lifts that "
                           "too.");
  const int64_t probing = number_of(done, "probing");
  if (probing != 0)
    out += wrapped("", counted(probing, "path") + (probing == 1 ? " is" : " are") +
                           " not blocked any more: probes or a ramp go first after a block; --automatic ends "
                           "that too.");
  const int64_t held = number_of(done, "held");
  if (held != 0)
    line(&out, "{} held by another order still; penstock mx status begins with the orders.",
         counted(held, "path") + (held == 1 ? " is" : " are"));
  return out;
}

std::string paused_text(const json& answer) {
  std::string out;
  for (const json& each : member(answer, "paused")) {
    const json& order = member(each, "order");
    const std::string mask = printable(text_of(order, "stream"));
    const bool is_plain = mask.find_first_of("*?") == std::string::npos;
    const int64_t count = number_of(each, "messages");
    out += wrapped("", counted(count, "message") + " of stream " + printable(text_of(each, "stream")) +
                           (count == 1 ? " waits" : " wait") + " for the end of an order: " +
                           printable(order_text(order)) + ". Then " + (count == 1 ? "it goes" : "they go") +
                           ", or at once with: penstock mx unblock --stream " +
                           (is_plain ? mask : '\'' + mask + '\''));
  }
  return out;
}

}  // namespace relay::cli
