#include "bounce/report/arrival_words.h"

#include <algorithm>
#include <array>

#include "bounce/report/recipient_words.h"
#include "bounce/report/text.h"

namespace bounce::report {
namespace {

// At the begin of what is said.
constexpr std::array<std::string_view, 34> kArrived = {
    "successfully", "delivered",    "succeeded",   "successful", "success",    "sent",      "queued",
    "accepted",     "ok",           "will retry",  "relayed",    "retrying",   "in queue",  "zugestellt",
    "erfolgreich",  "ausgeliefert", "wird erneut", "remis",      "livré",      "distribué", "envoyé",
    "entregado",    "enviado",      "aceptado",    "entregue",   "consegnato", "inviato",   "bezorgd",
    "afgeleverd",   "dostarczono",  "доставлено",  "配信済み",   "投递成功",   "发送成功"};
// Anywhere in a line that announces.
constexpr std::array<std::string_view, 16> kAnnounced = {"have been reached",
                                                         "has been reached",
                                                         "entregó correctamente",
                                                         "delivered to",
                                                         "succeeded",
                                                         "successful",
                                                         "erfolgreich",
                                                         "zugestellt an",
                                                         "remis à",
                                                         "entregado a",
                                                         "entregue a",
                                                         "consegnato a",
                                                         "afgeleverd",
                                                         "dostarczono",
                                                         "доставлено",
                                                         "成功"};
constexpr std::array<std::string_view, 26> kNot = {
    "not ",    "n't",  "fail",       "undeliver", "could",  "unable", "unsuccess", "error", "nicht",
    "konnte",  "pas ", "échec",      " no ",      "no se",  "não",    "non ",      "niet",  "nie ",
    "mislukt", "не ",  "impossible", "refus",     "ません", "失",     "未",        "無"};

}  // namespace

bool says_yes(std::string_view reply) {
  return reply.size() >= 3 && reply[0] == '2' && is_digit(reply[1]) && is_digit(reply[2]) &&
         (reply.size() == 3 || reply[3] == ' ' || reply[3] == '-');
}

bool says_arrived(std::string_view behind) {
  const std::string_view said = without_ends(behind);
  if (says_yes(said)) return true;
  return !contains_any(said, kNot) &&
         std::any_of(kArrived.begin(), kArrived.end(), [said](std::string_view word) {
           return starts_with_folded(said, word) &&
                  (said.size() == word.size() || !is_letter(said[word.size()]));
         });
}

bool announces_arrived(std::string_view line) {
  return (line.ends_with(':') || is_rule_line(line)) && contains_any(line, kAnnounced) &&
         !contains_any(line, kNot);
}

}  // namespace bounce::report
