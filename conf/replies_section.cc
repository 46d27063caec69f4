#include <string>

#include "conf/sections.h"
#include "conf/table_reader.h"

namespace conf {

namespace {

// What rules read, and a line of the log: RFC 5321 §4.5.3.1.5 grants a reply's line 512 octets.
constexpr uint64_t kLeastText = 512, kMostText = 65'536;

}  // namespace

void read_replies(TableReader* reader, RepliesSettings* out) {
  reader->text("rules", &out->rules);
  reader->text("shipped_rules", &out->shipped_rules);
  if (out->shipped_rules.empty())
    reader->report("shipped_rules", "is empty; write \"built-in\" or the path of a file of rules");
  reader->text("table", &out->table);
  auto word = static_cast<size_t>(out->unknown);
  if (reader->choice("unknown", {"soft", "ignored"}, &word)) out->unknown = static_cast<UnknownText>(word);
  reader->flag("fail_unknown_5yz", &out->fail_unknown_5yz);
  reader->number("known_texts", &out->known_texts, 100, 10'000'000);
  reader->number("unknown_alarm", &out->unknown_alarm, 0, 1'000'000'000);
  reader->size("max_text", &out->max_text_octets, kLeastText);
  if (out->max_text_octets > kMostText) {
    reader->report("max_text", "too big: at most " + std::to_string(kMostText) +
                                   " bytes; the log has the text once for each recipient");
  }
  reader->finish();
}

}  // namespace conf
