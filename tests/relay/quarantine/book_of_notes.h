// A book for tests: its statuses are given, and it notes what it is told.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bounce/quarantine_book.h"

namespace relay {

class BookOfNotes final : public bounce::QuarantineBook {
 public:
  bounce::AddressStanding standing(const conf::Mailbox& recipient, std::string_view,
                                   std::string_view) const override {
    const auto found = statuses.find(recipient.text());
    return found == statuses.end() ? bounce::AddressStanding() : found->second;
  }
  void delivered(const bounce::AddressOutcome& outcome) override { note("delivered", outcome); }
  bool refused(const bounce::AddressOutcome& outcome, const bounce::Qualification& meaning) override {
    note(meaning.type == bounce::ErrorType::kHard ? "hard" : "soft", outcome);
    return doubt;
  }
  void retold(const bounce::AddressOutcome& outcome, const bounce::Qualification& meaning) override {
    if (meaning.type == bounce::ErrorType::kHard) note("retold", outcome);
  }
  void complained(const bounce::AddressOutcome& outcome, bounce::Reason) override {
    note("complained", outcome);
  }
  void count(bounce::Outcome what, const bounce::AddressOutcome& outcome,
             const bounce::Qualification*) override {
    counted.push_back(std::string(bounce::to_text(what)) + " from " + std::string(outcome.sender_domain));
  }

  std::map<std::string, bounce::AddressStanding> statuses;
  bool doubt = false;
  std::vector<std::string> notes, counted;
  std::vector<std::string> users;  // of each note

 private:
  void note(const char* what, const bounce::AddressOutcome& outcome) {
    users.emplace_back(outcome.user);
    notes.push_back(std::string(outcome.late ? "late " : "") + what + ' ' + outcome.recipient->text() + ' ' +
                    std::to_string(outcome.attempt) + ' ' + std::string(outcome.text));
  }
};

}  // namespace relay
