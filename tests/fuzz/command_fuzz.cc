// Any line gives a command within the limits of RFC 5321 §4.5.3.1, or a whole reply that refuses it.
#include <cstdint>
#include <string_view>

#include "conf/limits.h"
#include "conf/vocab/check.h"
#include "relay/smtp/command.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const relay::smtp::Command command = relay::smtp::parse_command(line);
  if (!command.error.empty()) {
    CHECK(command.error.size() >= 4 && (command.error[0] == '5' || command.error[0] == '4') &&
          command.error[3] == ' ');
    for (const char c : command.error) CHECK(c != '\r' && c != '\n');
    return 0;
  }
  for (const conf::Mailbox* mailbox : {&command.reverse_path, &command.recipient.mailbox}) {
    CHECK(mailbox->local.size() <= conf::limits::kPathOctets);
    CHECK(mailbox->domain.text().size() <= conf::limits::kDomainOctets);
    for (const char c : mailbox->text()) CHECK(c != '\r' && c != '\n' && c != '\0');
  }
  CHECK(command.envid.size() <= conf::limits::kEnvidOctets);
  CHECK(command.recipient.orcpt.size() <= conf::limits::kOrcptOctets);
  return 0;
}
