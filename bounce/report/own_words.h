// What a notice about several recipients says of each one: a reply belongs to him who stands beside it, and
// to nobody where that cannot be told.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bounce/report/report.h"

namespace bounce::report {

// More than codes, an address and punctuation.
bool has_words(std::string_view diagnostic);

// "550 5.1.1 kim... User unknown", "<kim>... Deferred": whom a line names by the local part; empty: nobody.
std::string_view local_name(std::string_view line);

class OwnWords {
 public:
  // Some KB of each are kept.
  OwnWords(std::string_view text, const std::vector<Recipient>& recipients);
  // The lines that name the recipient, or stand below his name and above the next; may be empty.
  std::string_view of(const Recipient& recipient) const;

  // `text` names one of the others.
  bool names_another(const Recipient& recipient, std::string_view text) const;

 private:
  using Slots = std::unordered_map<std::string, size_t>;
  void add_name(const std::string& address, size_t slot, Slots* slots);
  size_t slot_of(std::string_view address) const;
  size_t own_slot(const Recipient& recipient) const;
  void look_at(std::string_view line);
  bool read_session(std::string_view line, bool names);
  void append(std::string_view line);
  void close();
  bool is_about_another(std::string_view line) const;

  std::vector<std::string> words_;  // by slot
  Slots slots_;                     // by address
  Slots locals_;                    // by local part; kNowhere: several have it
  std::vector<size_t> owners_;      // of the line before; empty: nobody
  std::string_view talking_;        // "... while talking to mx.example.com"
  size_t indent_ = 0;               // of the line that named the owners
  size_t names_alone_ = 0;          // lines one below the other that hold a name and no more
  bool told_ = false;               // something was said of the owners
  bool leads_on_ = false;           // the line before ended in a colon
  bool commanded_ = false;          // the line before is a command
  bool answered_ = false;           // the reply to it was read
  std::string answer_;              // "550-": the reply goes on
};

}  // namespace bounce::report
