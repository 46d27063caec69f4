// One line of text in, one JSON object out: what a refusal means, for people and programs that have no relay.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bounce/qualifier.h"

namespace bounce {

// "Hard", "Soft", "Ignored", "Not defined"
const char* type_label(ErrorType type);

// Appends `text` as a JSON string; octets that are not UTF-8 are read as Latin-1.
void append_json_string(std::string_view text, std::string* out);

class Classifier {
 public:
  // `place` says where the replies were met; its reply is not looked at. Not for several threads: each takes
  // its own.
  Classifier(const Qualifier* qualifier, const Occasion& place);

  // Appends {"code":550,"status":"5.1.1","template":...,"type":"Hard","reason":"User
  // unknown","reason_code":1, "scope":"recipient","rule":"user-unknown","row":"..."} and a line end. `line`
  // is "CODE[ ENHANCED] text"; what has no code or no status gets null there. Any octets are good, of any
  // length; the first 16 KB count.
  void append(std::string_view line, std::string* out);

 private:
  void write(std::string_view line, std::string* out) const;

  struct Kept {
    std::string line, answer;
  };
  const Qualifier* qualifier_;
  Occasion place_;
  std::vector<Kept> kept_;  // by hash: texts come back
};

}  // namespace bounce
