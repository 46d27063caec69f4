#include "relay/journal/events.h"

#include <gtest/gtest.h>

namespace relay::journal {
namespace {

// Lists of users and the ledger read it there.
TEST(Events, AllOfAMessageNameTheUserWhoHandedItIn) {
  const conf::WallTime now{};
  spool::MessageRecord record;
  record.id = 7;
  record.envelope.authenticated_as = "shop";
  const spool::RecipientRecord& recipient = record.recipients.emplace_back();
  const smtp::RecipientOutcome outcome;
  for (const conf::DeliveryEvent& event :
       {accepted(record, now), attempted(record, recipient, outcome, {}, now),
        held_back(record.id, &record, &recipient, "", {}, 1, now), dropped(record, recipient, "anna", now),
        ended_before_restart(record, recipient, now), unsigned_mail(record, false, "", now),
        suppressed(record, recipient, {}, {}, "", now)})
    EXPECT_EQ(event.auth, "shop") << static_cast<int>(event.kind);
}

}  // namespace
}  // namespace relay::journal
